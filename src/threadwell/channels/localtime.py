"""Times that an export writes without a zone become instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.channel import NeedsZone

_TWICE = "this hour came twice that night: the order of the messages decided which one it was"
_NEVER = "this hour was skipped that night: the time was taken as an hour later"


class Instant(NamedTuple):
    """A moment in UTC, and a note where the clock did not tell it for certain."""

    time: datetime
    note: str = ""


def to_instant(wall: datetime, zone: ZoneInfo | None, after: datetime | None = None) -> Instant:
    """The moment at which clocks in ``zone`` showed the naive ``wall``.

    In the hour that comes twice when summer time ends, the first one is meant, unless that lies
    before ``after``, the message before. A time in the hour that is skipped when summer time
    begins is as long after that change as it claims to be. Without a zone: ``NeedsZone``.
    """
    if zone is None:
        raise NeedsZone
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return Instant(first.astimezone(UTC))
    early, late = sorted((first.astimezone(UTC), second.astimezone(UTC)))
    if early.astimezone(zone).replace(tzinfo=None) != wall:
        return Instant(late, _NEVER)
    if after is not None and early < after:
        return Instant(late, _TWICE)
    return Instant(early, _TWICE)
