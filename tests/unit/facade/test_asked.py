"""What callers ask for in other ways than the documented one is taken, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.intake.bad_setting import BadSetting

TABLE = """id,from,to,sent,text
1,+12075550161,+12075550160,2026-01-05T09:00:00Z,hello my knee is stiff
2,+12075550160,+12075550161,2026-01-05T09:30:00Z,Move it a little each hour
3,+12075550161,+12075550160,2026-01-05T10:00:00Z,thanks
"""


@pytest.fixture
def tw(tmp_path: Path) -> Iterator[threadwell.Threadwell]:
    with threadwell.open(tmp_path / "practice.db") as tw:
        yield tw


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "portal.csv"
    path.write_text(TABLE)
    return path


def test_one_text_stands_for_a_list_of_one(tw: threadwell.Threadwell, table: Path) -> None:
    tw.import_messages(
        table,
        unknown="patient",
        zone="America/New_York",
        policy="explicit",
        owner="+1 207-555-0160",
        opening="hello",
        closing="thanks",
        clinical_types="http://snomed.info/sct|185320006|Encounter by computer link",
    )
    [session] = tw.sessions()
    assert session.messages == 3
    [patient] = session.patients
    tw.about(f"Encounter/{session.id}", [])
    [review] = tw.reviews()
    tw.about(f"Encounter/{session.id}", patient)
    assert tw.sessions()[0].patients == (patient,)
    assert review.task.startswith("Task/")


SIX = """id,from,to,sent,text
1,+12075550161,+12075550160,2026-01-05T09:00:00Z,hello
2,+12075550162,+12075550160,2026-01-05T09:30:00Z,hi
3,+12075550163,+12075550160,2026-01-05T11:00:00Z,good day
4,+12075550161,+12075550160,2026-01-05T12:00:00Z,are you there
5,+12075550162,+12075550160,2026-01-05T12:00:00Z,me too
6,+12075550162,+12075550160,2026-01-07T08:00:00Z,again
"""


def test_sessions_stand_as_on_the_pages(tw: threadwell.Threadwell, table: Path) -> None:
    table.write_text(SIX)
    how = {"policy": "inactivity-gap", "gap": "12h", "unknown": "patient"}
    tw.import_messages(table, zone="America/New_York", owner="+1 207-555-0160", **how)
    those = tw.sessions()
    assert [one.end[8:16] for one in those] == ["07T08:00", "05T12:00", "05T12:00", "05T11:00"]
    for limit in range(6):
        assert tw.sessions(limit=limit) == those[:limit]
        assert tw.sessions(since=date(2026, 1, 5), limit=limit) == those[:limit]
    # One patient's stand by when they began, as there.
    assert tw.sessions(patient=those[0].patients[0].partition("/")[2]) == [
        one for one in those if one.patients == those[0].patients
    ]


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"channel": "fax"}, BadSetting, "no channel 'fax': there are sms_backup"),
        ({"limit": -1}, BadSetting, "limit -1"),
        ({"limit": "3"}, BadSetting, "limit '3'"),
        ({"since": "2026-01-05"}, TypeError, "since is a day, a datetime.date, not of type str"),
        ({"until": datetime(2026, 1, 5, tzinfo=UTC)}, TypeError, "until is a day"),
        ({"status": "closed"}, BadSetting, "status 'closed' is none of all, open"),
        (
            {"since": date(2026, 1, 6), "until": date(2026, 1, 5)},
            BadSetting,
            "no day is from 2026-01-06 on",
        ),
    ],
)
def test_sessions_that_nobody_can_mean_are_refused(
    tw: threadwell.Threadwell, asked: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words.replace(".", r"\.")):
        tw.sessions(**asked)


def test_no_sessions_may_be_asked_for(tw: threadwell.Threadwell, table: Path) -> None:
    tw.import_messages(table, unknown="patient", owner=["+12075550160"], zone="UTC")
    assert tw.sessions(limit=0) == []
    assert len(tw.sessions(limit=1)) == 1
