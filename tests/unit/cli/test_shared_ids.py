"""``threadwell import`` tells of messages whose id another message had before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from threadwell.cli import main

ROWS = """\
id,thread,sent,from,to,text
1,a,2025-03-08T10:00:00Z,+12075550111,+12075550100,My knee hurts
2,a,2025-03-08T10:05:00Z,+12075550111,+12075550100,Since Sunday
3,a,2025-03-08T10:06:00Z,+12075550111,+12075550100,Both of them
"""
OTHERS = """\
id,thread,sent,from,to,text
1,b,2025-04-08T10:00:00Z,+12075550111,+12075550100,Can I come in today?
2,b,2025-04-08T10:05:00Z,+12075550111,+12075550100,Or tomorrow
9,b,2025-04-08T10:06:00Z,+12075550111,+12075550100,Thank you
"""
OPTIONS = ("--owner", "+12075550100", "--unknown", "patient", "--zone", "UTC")
BOTH = "an id that another message had before, with other words, people or time: both are kept"

Out = Callable[..., str]


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Out:
    """Runs a command that works on a store which has the rows; its standard output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADWELL_STORE", raising=False)
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "others.csv").write_text(OTHERS)

    def out(*argv: str) -> str:
        assert main(argv) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert BOTH not in out("import", "rows.csv", *OPTIONS)
    return out


def test_a_row_that_was_put_right_is_told(out: Out, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS.replace("Since Sunday", "Since Monday"))
    said = out("import", "rows.csv", *OPTIONS)
    assert "3 messages read = 1 new + 2 known + 0 quarantined" in said
    assert f"\n1 message has {BOTH} (docs/importing.md, Copies)\n" in said
    # Once it is there, it is known, and not told again.
    assert BOTH not in out("import", "rows.csv", *OPTIONS)


def test_another_table_that_numbers_from_1_is_told(out: Out) -> None:
    assert f"\n2 messages have {BOTH}" in out("import", "others.csv", *OPTIONS, "--dry-run")
    told = json.loads(out("import", "others.csv", *OPTIONS, "--format", "json"))
    assert (told["new"], told["sharedIds"]) == (3, 2)


def test_a_fuller_copy_is_no_other_message(out: Out, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS.replace("hurts", "hurts ").replace("Both", " Both"))
    assert BOTH not in out("import", "rows.csv", *OPTIONS)


def test_two_of_one_id_in_one_table_are_one_that_is_told(out: Out, tmp_path: Path) -> None:
    (tmp_path / "twice.csv").write_text(ROWS.replace("1,a", "7,a").replace("2,a", "7,a"))
    told = json.loads(out("import", "twice.csv", *OPTIONS, "--format", "json"))
    assert (told["new"], told["known"], told["sharedIds"]) == (2, 1, 1)
