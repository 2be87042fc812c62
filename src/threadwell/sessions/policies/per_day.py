"""The messages of one calendar day in the care time zone are one session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from threadwell.sessions.horizon import BEGINNING
from threadwell.sessions.session import NEVER, PolicyOptions, Sent, Session

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
#: Clocks are set on whole minutes everywhere since 1972.
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class _PerDay:
    """A session for each day that has messages; it is over when the day is."""

    def __call__(self, messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
        """The sessions of those messages."""
        # A day may come in two pieces: where clocks go back just after midnight, it returns.
        days: dict[date, list[Sent]] = {}
        for message in messages:
            days.setdefault(_day(message.at // _MINUTE_US, options.zone), []).append(message)
        return [
            Session(day.isoformat(), tuple(those), _end_of(day, options.zone))
            for day, those in days.items()
        ]

    def horizon(self, _messages: Sequence[Sent], at: int, options: PolicyOptions) -> int:
        """The beginning of the day, or of one before, where that day returns."""
        return _start_of(_day(at // _MINUTE_US, options.zone), options.zone)


per_day = _PerDay()


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
    readings = _midnights(day + timedelta(days=1), zone)
    ends = [one for one in readings if (one - _MICROSECOND).astimezone(zone).date() == day]
    return ((ends or readings)[-1] - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)
def _start_of(day: date, zone: ZoneInfo) -> int:
    """A moment at which a day begins, that one or an earlier one, and none before returns."""
    while day - date.min > _DAY:
        begins = [one for one in _midnights(day, zone) if one.astimezone(zone).date() == day]
        start = (begins[0] - _EPOCH) // _MICROSECOND if begins else None
        day -= _DAY
        if start == _end_of(day, zone):
            return start
    return BEGINNING


def _midnights(day: date, zone: ZoneInfo) -> list[datetime]:
    """When a day may begin: with the offset before the clocks are set, and with the one after."""
    midnight = datetime.combine(day, time(), zone)
    return sorted(one.astimezone(UTC) for one in (midnight, midnight.replace(fold=1)))
