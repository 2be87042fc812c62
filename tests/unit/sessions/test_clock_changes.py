"""A day is a day through every clock change, in the zones where these are oddest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from threadwell.sessions import Act, Kind, PolicyOptions, Sent, assign
from threadwell.sessions.policies import BUILT_IN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
#: Changes of half an hour and of two hours, at midnight and a minute after, in Ramadan, twice a
#: year and by decree; days that were left out, and one that came twice.
ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Caracas",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
]


@cache
def changes(zone: ZoneInfo) -> list[datetime]:
    """The instants at which clocks were, or will be, changed between 1973 and 2037."""

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(zone).utcoffset()

    out = []
    moment = datetime(1973, 1, 1, tzinfo=UTC)
    while moment.year < 2037:
        if offset(moment) != offset(moment + DAY):
            low, high = moment, moment + DAY
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            out.append(high.replace(microsecond=0))
        moment += DAY
    return out


def instants(change: datetime) -> list[datetime]:
    """Every quarter of an hour for three days about a change, and just before and after it."""
    about = [change + timedelta(minutes=15 * step) for step in range(-144, 145)]
    return sorted({*about, change - MICROSECOND, change + MICROSECOND})


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


@pytest.mark.parametrize("name", ZONES)
def test_every_moment_is_in_the_session_of_its_day(name: str) -> None:
    zone = ZoneInfo(name)
    found = changes(zone)
    assert found
    for change in found:
        moments = instants(change)
        messages = [Sent(micros(one), one.isoformat(), "t") for one in moments]
        days: dict[str, list[str]] = {}
        for one in moments:
            day = one.astimezone(zone).date().isoformat()
            days.setdefault(day, []).append(one.isoformat())
        sessions = BUILT_IN["per-day"](messages, PolicyOptions(zone=zone))
        assert {one.mark: [m.id for m in one.messages] for one in sessions} == days
        for one in sessions:
            closes = EPOCH + one.closes * MICROSECOND
            last = (closes - MICROSECOND).astimezone(zone).date()
            assert last == date.fromisoformat(one.mark)
            assert all(
                moment.astimezone(zone).date() > last for moment in moments if moment >= closes
            )


@pytest.mark.parametrize("name", ZONES)
def test_a_day_that_is_closed_by_hand_stays_that_day(name: str) -> None:
    """Closed at the very instant of each change, a day has what follows of it all the same."""
    zone = ZoneInfo(name)
    options = PolicyOptions(zone=zone)
    for change in changes(zone):
        messages = [Sent(micros(one), one.isoformat(), "t") for one in instants(change)]
        before = next(one for one in reversed(messages) if one.at < micros(change))
        closing = Act(micros(change), "closing", Kind.CLOSE, before.id)
        plain = BUILT_IN["per-day"](messages, options)
        acted = assign(BUILT_IN["per-day"], messages, [closing], options)
        assert [one.messages for one in acted] == [one.messages for one in plain]
        (closed,) = (one for one in acted if one.acts)
        (own,) = (one for one in plain if before in one.messages)
        written_later = own.messages[-1].at > closing.at
        assert closed.closes == (own.closes if written_later else min(own.closes, closing.at))
