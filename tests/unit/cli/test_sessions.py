"""``threadwell sessions`` over the sample practice, and what narrows its list."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main
from threadwell.cli.output import JsonList, print_json
from threadwell.cli.sessions import _STATUSES
from threadwell.intake import STATUSES
from threadwell.intake.bad_setting import BadSetting

SAMPLE = Path(__file__).resolve().parents[3] / "sample"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("sessions") / "practice.db")
    people = ["--people", str(SAMPLE / "people.csv"), "--zone", "America/New_York"]
    assert main(["import", str(SAMPLE), *people, "--store", path]) == 0
    return path


@pytest.fixture
def listed(store: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def listed(*options: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["sessions", "--store", store, "--format", "json", *options]) == 0
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return found

    return listed


def test_the_statuses_are_those_that_there_are() -> None:
    assert tuple(STATUSES) == _STATUSES


def test_filters_take_away_and_nothing_else(listed: Any) -> None:
    every = listed()
    assert len(every) > 50
    # They stand by their last messages; those with an open question by when they began.
    last = [one["end"] or one["start"] for one in every]
    assert last == sorted(last, reverse=True)
    for channel in ("email", "sms_backup", "whatsapp"):
        mine = [one["id"] for one in every if channel in one["channels"]]
        assert [one["id"] for one in listed("--channel", channel)] == mine
        assert mine
    begun = sorted(every, key=lambda one: str(one["start"]), reverse=True)
    asked = [one["id"] for one in begun if one["to_review"]]
    assert [one["id"] for one in listed("--to-review")] == asked
    assert [one["id"] for one in listed("--limit", "3")] == [one["id"] for one in every[:3]]
    assert listed("--status", "superseded") == []


def test_it_says_why_where_it_is_asked(listed: Any, store: str, capsys: Any) -> None:
    told, plain = listed("--why", "--patient", "Mia"), listed("--patient", "Mia")
    assert all(one.pop("why") for one in told)
    assert told == plain
    for one in listed("--why"):
        assert {why["patient"] for why in one["why"]} == set(one["patients"])
    assert main(["sessions", "--store", store, "--why"]) == 0
    out = capsys.readouterr().out
    assert "named “" in out
    assert "by address" in out


@pytest.mark.parametrize("who", ["Mia Castellano", "mia", "id", "reference"])
def test_a_patient_is_named_in_many_ways(listed: Any, who: str) -> None:
    every = listed()
    mia = next(one for one in every if one["names"] == ["Mia Castellano"])["patients"][0]
    who = {"id": mia.removeprefix("Patient/"), "reference": mia}.get(who, who)
    mine = [one["id"] for one in every if mia in one["patients"]]
    assert [one["id"] for one in listed("--patient", who)] == mine


def test_days_are_days_of_the_care_zone(listed: Any) -> None:
    found = listed("--from", "2025-12-02", "--to", "2025-12-02")
    # 23:50 in New York is the 3rd in UTC.
    assert "2025-12-03T04:50:00Z" in [one["start"] for one in found]
    assert "2025-12-03T05:25:00Z" not in [one["start"] for one in found]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--patient", "Nobody"], 1, "there is no patient Nobody"),
        (["--patient", "Castellano"], 1, "patients have that name: give the id of one"),
        (["--channel", "fax"], 2, "no channel 'fax': there are sms_backup"),
        (["--from", "2025-12-02", "--to", "2025-12-01"], 2, "no day is from 2025-12-02"),
    ],
)
def test_what_cannot_be_found_is_said(
    store: str, capsys: pytest.CaptureFixture[str], options: list[str], code: int, words: str
) -> None:
    assert main(["sessions", "--store", store, *options]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--limit", "2"], "2 sessions, and there are more; times are in America/New_York."),
        (["--status", "superseded"], "No session is like that."),
        (["--channel", "E-mail", "--limit", "1"], "E-mail"),
    ],
)
def test_it_is_told_in_words(
    store: str, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    capsys.readouterr()
    assert main(["sessions", "--store", store, *options]) == 0
    assert words in capsys.readouterr().out


def test_verify_counts_the_same(
    store: str, listed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    number = len(listed())
    assert main(["verify", "--store", store]) == 0
    assert f"Everything keeps the pattern: {number} sessions." in capsys.readouterr().out


@pytest.mark.parametrize("number", ["0", "-3", "x", "1.5", "9" * 40])
def test_a_limit_is_a_number_from_one_on(
    store: str, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    assert main(["sessions", "--store", store, f"--limit={number}"]) == 2
    assert "give a whole number from 1 on" in capsys.readouterr().err


def test_without_a_session_it_says_what_is_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "portal.csv"
    path.write_text(
        "id,from,to,sent,text\n1,+12075550161,+12075550160,2026-01-05T09:00:00Z,Hello\n"
    )
    store = ["--store", str(tmp_path / "practice.db")]
    assert main(["import", str(path), *store]) == 0
    capsys.readouterr()
    assert main(["sessions", *store]) == 0
    assert capsys.readouterr().out == (
        "There are no sessions; 1 message is held: `threadwell quarantine` says why.\n"
    )


def test_pages_of_sessions_go_on_where_the_one_before_ended(
    listed: Any, store: str, capsys: Any
) -> None:
    every = listed()
    found: list[dict[str, Any]] = []
    after: list[str] = []
    for _ in every:
        assert main(["sessions", "--store", store, "--format", "json", "--limit", "7", *after]) == 0
        told = capsys.readouterr()
        found += json.loads(told.out)
        if not told.err:
            break
        assert told.err.startswith(f"There are more: threadwell sessions --store {store} ")
        # The command that is told prints what follows, as it stands.
        again = shlex.split(told.err.partition(": threadwell ")[2])
        assert again[3:-2] == ["--format", "json", "--limit", "7"]
        after = again[-2:]
    assert found == every
    with threadwell.open(store, read_only=True) as tw:
        pages = list(tw.session_pages(size=9))
        assert [one.id for page in pages for one in page.sessions] == [one["id"] for one in every]
        assert [bool(page.after) for page in pages] == [True] * (len(pages) - 1) + [False]
        assert [one.id for one in tw.sessions()] == [one["id"] for one in every]
        finished = [one["id"] for one in listed("--status", "finished")]
        [page] = tw.session_pages(status="finished", size=1000)
        assert [one.id for one in page.sessions] == finished != []
        for wrong in ({"size": 0}, {"size": True}, {"after": "b5-x"}, {"after": "x"}):
            with pytest.raises(BadSetting):
                tw.session_pages(**wrong)


@pytest.mark.parametrize("options", [["--after", "5"], ["--after", "a5-x", "--to-review"]])
def test_a_place_that_is_none_is_refused(store: str, options: list[str], capsys: Any) -> None:
    assert main(["sessions", "--store", store, *options]) in (1, 2)
    assert "after" in capsys.readouterr().err


def test_lines_that_come_in_parts_are_those_that_come_at_once(capsys: Any) -> None:
    items = [{"a": [1, {"b": "c"}]}, {}, {"d": []}, 5]
    print_json(items)
    at_once = capsys.readouterr().out
    for parts in ([items[:1], items[1:]], [items], [[], items[:3], [], items[3:]]):
        printed = JsonList()
        for part in parts:
            printed.add(part)
        printed.end()
        assert capsys.readouterr().out == at_once
    JsonList().end()
    assert capsys.readouterr().out == "[]\n"
