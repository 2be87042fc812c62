"""``threadwell copy`` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import threadwell
from threadwell.cli import main


@pytest.fixture(autouse=True)
def practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with two patients, one of them changed, and a client."""
    monkeypatch.chdir(tmp_path)
    with threadwell.open("a.db") as tw:
        made = tw.create_resource({"resourceType": "Patient", "active": True})
        tw.update_resource({**made, "active": False})
        tw.create_resource({"resourceType": "Patient"})
        tw.add_client("billing")


def test_a_copy_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copy", "a.db", "b.db"]) == 0
    out = capsys.readouterr().out
    assert "3 versions of 2 resources" in out
    assert "3 new, 0 there already" in out
    assert main(["copy", "a.db", "sqlite:///b.db"]) == 0
    assert "0 new, 3 there already" in capsys.readouterr().out
    with threadwell.open("a.db") as one, threadwell.open("b.db") as two:
        assert one.search("Patient") == two.search("Patient")


def test_a_copy_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copy", "a.db", "b.db", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["resources"], told["versions"], told["new"]) == (2, 3, 3)
    assert told["private"] >= 2
    assert len(told["digest"]) == 32


def test_a_copy_needs_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copy", "nothing.db", "b.db"]) == 1
    assert "there is no store at nothing.db" in capsys.readouterr().err
    assert not Path("b.db").exists()


def test_a_copy_is_not_made_over_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    with threadwell.open("b.db") as tw:
        tw.create_resource({"resourceType": "Patient"})
    assert main(["copy", "a.db", "b.db"]) == 1
    assert "4 versions for 3" in capsys.readouterr().err
