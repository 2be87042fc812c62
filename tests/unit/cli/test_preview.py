"""``threadwell preview`` tells what a recut then makes, and writes nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main
from threadwell.encounters import codes

SAMPLE = Path(__file__).resolve().parents[3] / "sample"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("preview") / "practice.db"
    people = ["--people", str(SAMPLE / "people.csv"), "--zone", "America/New_York"]
    assert main(["import", str(SAMPLE), *people, "--store", str(path)]) == 0
    with threadwell.open(path) as tw:
        billed = next(one for one in tw.sessions(status="finished") if one.messages > 1)
        tag = [{"op": "add", "path": "/meta/tag", "value": [codes.BILLED]}]
        tw.patch_resource("Encounter", billed.id, tag)
        other = next(one for one in tw.sessions(status="finished") if one.id != billed.id)
        tw.reopen_session(other.id)
    return path


def content(store: str) -> list[str]:
    with closing(sqlite3.connect(store)) as database:
        return list(database.iterdump())


@pytest.mark.parametrize(
    "options",
    [
        ["--policy", "per-thread"],
        ["--policy", "inactivity-gap", "--gap", "2h"],
        ["--policy", "per-day", "--scope", "patient"],
        ["--policy", "explicit", "--open-keyword", "hi"],
        ["--zone", "Asia/Tokyo"],
        [],
    ],
)
def test_it_tells_what_a_recut_makes(
    practice: Path, options: list[str], tmp_path: Path, capsys: Any
) -> None:
    store = str(tmp_path / "copy.db")
    assert main(["backup", store, "--store", str(practice)]) == 0
    before = content(store)
    capsys.readouterr()
    assert main(["preview", *options, "--store", store, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert content(store) == before
    with threadwell.open(store) as tw:
        today = tw.sessions()
    assert main(["recut", *options, "--store", store]) == 0
    with threadwell.open(store) as tw:
        then = tw.sessions()
        encounters = tw.search(
            "Encounter", {"status:not": "entered-in-error", "_total": "accurate"}
        )
        assert tw.verify() == []
    # The newest stands first, as in `threadwell sessions`.
    starts = [one["start"] for one in found["sessions"]]
    assert starts == sorted(starts, reverse=True)
    assert {one["id"]: one["status"] for one in found["sessions"]} == {
        one.id: one.status for one in then
    }
    assert {one["id"]: one["messages"] for one in found["sessions"]} == {
        one.id: one.messages for one in then
    }
    for side, sessions in (("today", today), ("then", then)):
        tally = found[side]
        assert tally["sessions"] == len(sessions) == tally["open"] + tally["finished"]
        assert tally["messages"] == sum(one.messages for one in sessions)
        assert tally["largest"] == max((one.messages for one in sessions), default=0)
        assert tally["to_review"] == sum(one.to_review for one in sessions)
        assert tally["billed"] == 1
    assert found["then"]["encounters"] == encounters["total"]
    assert (
        found["today"]["messages"] + found["today"]["outside"]
        == found["then"]["messages"] + found["then"]["outside"]
    )
    if not options:
        assert all(one["today"] == [one["id"]] for one in found["sessions"])


def test_it_stands_in_a_table(practice: Path, capsys: Any) -> None:
    capsys.readouterr()
    assert main(["preview", "--policy", "per-thread", "--store", str(practice)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["Today", "per-thread"]
    assert "Nothing was written" in said
    assert "Samuel Whitcombe " in said
    assert main(["preview", "--policy", "per-moon", "--store", str(practice)]) == 2
