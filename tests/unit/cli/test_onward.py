"""Commands that a command prints lead to the record that it was asked for."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import threadwell
from threadwell.cli import commands, main
from threadwell.facade import Threadwell

SAMPLE = Path(__file__).resolve().parents[3] / "sample"
#: Commands that a list ends with, each up to where a person goes on writing.
PRINTED = re.compile(r"threadwell (?:answer|quarantine|replay|reviews)[^,…\n`]*")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with questions and held messages, the same in two projects."""
    path = str(tmp_path_factory.mktemp("onward") / "practice of ours.db")
    with threadwell.open(path) as tw:
        tw.create_project("north")
    for project in (None, "north"):
        with threadwell.open(path, project=project) as tw:
            import_sample(tw)
    return path


def import_sample(tw: Threadwell) -> None:
    tw.import_messages(SAMPLE, people=SAMPLE / "people.csv", zone="America/New_York")


@pytest.mark.parametrize("command", ["reviews", "quarantine", "replay"])
@pytest.mark.parametrize("project", ["", "north"])
def test_what_is_printed_leads_there(
    record: str,
    command: str,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = ["--project", project] if project else []
    assert main([command, "--store", record, *named]) == 0
    printed = PRINTED.findall(capsys.readouterr().out)
    assert printed
    for line in printed:
        words = shlex.split(line)
        assert words[words.index("--store") + 1] == record, line
        assert ("--project" in words) is bool(project), line
    monkeypatch.setenv("THREADWELL_STORE", record)
    monkeypatch.setenv("THREADWELL_PROJECT", project)
    assert main([command]) == 0
    printed = PRINTED.findall(capsys.readouterr().out)
    assert printed
    assert not [one for one in printed if "--store" in one or "--project" in one]


LISTING = ["account", "client", "project", "user", "policy", "keys", "saved", "view"]


@pytest.mark.parametrize("command", LISTING)
def test_what_lists_lists_without_being_told(
    command: str, record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command in {one.name for one in commands()}
    assert main([command, "list", "--store", record]) == 0
    told = capsys.readouterr().out
    assert main([command, "--store", record]) == 0
    assert capsys.readouterr().out == told != ""
