"""When two sets of rules of one zone put a moment on different days. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from threadwell.zones.zone import Zone

#: Since 1972 every zone is a whole number of quarters of an hour from UTC, and clocks are set at
#: whole quarters: within one nothing changes.
_STEP = timedelta(minutes=15)


class Span(NamedTuple):
    """Moments from ``start`` up to, not including, ``end``, both in UTC.

    On the clock by the one rules they are all of the day ``old``, by the others of ``new``.
    """

    start: datetime
    end: datetime
    old: date
    new: date


def differing(old: Zone, new: Zone, start: datetime, end: datetime) -> list[Span]:
    """The spans from ``start`` to ``end`` whose day is not the same by both; in order of time."""
    if old.rules == new.rules:
        return []
    return list(_spans(old, new, start, end))


def _spans(old: Zone, new: Zone, start: datetime, end: datetime) -> Iterator[Span]:
    open_: Span | None = None
    for at in _quarters(start, end):
        days = at.astimezone(old.info).date(), at.astimezone(new.info).date()
        if open_ and days == (open_.old, open_.new):
            open_ = open_._replace(end=at + _STEP)
            continue
        if open_:
            yield open_
            open_ = None
        if days[0] != days[1]:
            open_ = Span(at, at + _STEP, *days)
    if open_:
        yield open_


def _quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start.astimezone(UTC)
    at -= timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    while at <= end:
        yield at
        at += _STEP
