"""Data files of Outlook, taken apart by a program that a stand-in plays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.email import CHANNEL
from threadwell.channels.email.outlook.data_file import FAILED, IN_PART, NO_PROGRAM
from threadwell.messages import Broken

OPTIONS = ReadOptions(ZoneInfo("UTC"))
#: Writes two folders as readpst does: a From_ line in UTC, and a mailbox named mbox in each.
STAND_IN = """#!/bin/sh
while [ "$1" != "-o" ]; do shift; done
for folder in Inbox Drafts; do
  mkdir -p "$2/Mail/$folder"
  printf 'From "Ana" Mon Mar  2 14:30:05 2026\\nFrom: Ana <ana@family.example>\\n'\\
'To: care@clinic.example\\nDate: Mon, 02 Mar 2026 09:30:05 -0500\\n'\\
'Message-ID: <'$folder'@x>\\n\\nHello\\n\\n' >"$2/Mail/$folder/mbox"
done
echo '"Contacts" - 0 items done, 2 items skipped.'
exit CODE
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program in the place of readpst, or none."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def _program(text: str) -> None:
        path = tmp_path / "bin" / "readpst"
        path.write_text(text)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    return _program


def read(folder: Path, tell: Callable[[str], None] = print) -> list[str]:
    """The ids of the messages of a data file, and the reasons of what is none."""
    path = folder / "practice.pst"
    path.write_bytes(b"!BDN" + bytes(600))
    assert CHANNEL.sniff(path.read_bytes(), path)
    return [
        f"{item.source}: {item.reason}" if isinstance(item, Broken) else item.external_id
        for item in read_path(path, options=replace(OPTIONS, tell=tell), channels=[CHANNEL])
    ]


def test_its_folders_are_read_as_mailboxes(tmp_path: Path, program) -> None:
    program(STAND_IN.replace("CODE", "0"))
    draft = "practice.pst: mbox, message 1: a draft, never sent"
    told: list[str] = []
    assert read(tmp_path, told.append) == [draft, "Inbox@x"]
    assert told == ["left out 2 items of practice.pst: readpst takes them for no mails"]


def test_what_a_program_leaves_out_is_said(tmp_path: Path, program) -> None:
    program(STAND_IN.replace("CODE", "1"))
    assert read(tmp_path)[2:] == [f"practice.pst: {IN_PART}"]


def test_without_the_program_a_person_is_told_which_one(tmp_path: Path, program) -> None:
    assert read(tmp_path) == [f"practice.pst: {NO_PROGRAM}"]


def test_a_file_that_cannot_be_taken_apart_is_held(tmp_path: Path, program) -> None:
    program("#!/bin/sh\nexit 1\n")
    assert read(tmp_path) == [f"practice.pst: {FAILED}"]
