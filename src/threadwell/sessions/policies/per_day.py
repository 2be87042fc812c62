"""The messages of one calendar day in the care time zone are one session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from threadwell.sessions.session import NEVER, PolicyOptions, Sent, Session

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Clocks are set on whole minutes everywhere since 1972.
_MINUTE_US = 60_000_000


def per_day(messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
    """A session for each day that has messages; it is over when the day is."""
    # A day may come in two pieces: where clocks go back just after midnight, it returns.
    days: dict[date, list[Sent]] = {}
    for message in messages:
        days.setdefault(_day(message.at // _MINUTE_US, options.zone), []).append(message)
    return [
        Session(day.isoformat(), tuple(those), _end_of(day, options.zone))
        for day, those in days.items()
    ]


@lru_cache(maxsize=65_536)
def _day(minute: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(minutes=minute)).astimezone(zone).date()


@lru_cache(maxsize=4096)
def _end_of(day: date, zone: ZoneInfo) -> int:
    if day == date.max:
        return NEVER
    # Of a midnight that happens twice, the second one ends the day if the day has returned in
    # between; one that the clocks leave out is read with the offset before them and with the one
    # after.
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    readings = sorted(one.astimezone(UTC) for one in (midnight, midnight.replace(fold=1)))
    ends = [one for one in readings if (one - _MICROSECOND).astimezone(zone).date() == day]
    return ((ends or readings)[-1] - _EPOCH) // _MICROSECOND
