"""When a mail was sent and received, from whatever its header says (RFC 5322 §3.3, §4.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.email.comments import without_comments
from threadwell.channels.email.written_time import (
    NO_TIME,
    NO_ZONE,
    UNSURE_ZONE,
    Written,
    written_time,
)

__all__ = [
    "FROM_LINE",
    "FROM_RECEIVED",
    "IN_THE_FUTURE",
    "NO_TIME",
    "NO_ZONE",
    "TOO_OLD",
    "UNSURE_ZONE",
    "MailTimes",
    "find_dates",
    "first_received",
]

FROM_RECEIVED = "no usable date; the time at which a mail server received it was taken"
FROM_LINE = "no usable date; the time in the mailbox file was taken"
TOO_OLD = "the date lies before there was e-mail"
IN_THE_FUTURE = "the date lies in the future"

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
#: Where the date in a From_ line begins, behind whatever names the sender.
_IN_FROM_LINE = re.compile(
    rf"(?<=\s)(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? {{1,3}})?"
    rf"(?:{_MONTH} {{1,3}}\d|\d{{1,2}}[ -]{_MONTH}|\d{{4}}[-/.]\d)"
)
# Mail as we know it is younger; an older date is that of a clock that was never set.
_FIRST_YEAR = 1971


class MailTimes(NamedTuple):
    """``sent`` is ``None`` where nothing tells it; ``received`` where no server noted it.

    ``wall`` is ``sent`` as it was written, naive, where no zone stands beside it.
    """

    sent: datetime | None
    received: datetime | None
    notes: list[str]
    wall: datetime | None = None


def find_dates(
    date: str, received: Sequence[str], from_line: str, zone: ZoneInfo, now: datetime
) -> MailTimes:
    """The dates of a mail.

    ``date`` is its Date field, ``received`` its Received fields (topmost first), ``from_line`` the
    From_ line of the mailbox file; each ``""`` or empty if absent. A usable Date wins, then the
    first server that received the mail, then the mailbox file.
    """
    arrived = _received(received[0], zone) if received else None
    found, notes = written_time(date, zone), []
    if found is None or found.rough or found.moment.year < _FIRST_YEAR:
        if served := _first_received(received, zone):
            found, notes = served, [FROM_RECEIVED]
        elif boxed := _in_from_line(from_line, zone):
            found, notes = boxed._replace(notes=()), [FROM_LINE]
        elif found is not None and not found.rough:
            notes = [TOO_OLD]
    when = arrived.moment if arrived and not arrived.notes else None
    if found is None:
        return MailTimes(None, when, [])
    notes += found.notes
    if found.moment > now + timedelta(days=1):
        notes.append(IN_THE_FUTURE)
    return MailTimes(found.moment, when, notes, found.wall)


def first_received(received: Sequence[str]) -> str:
    """When the first server received the mail, as that server wrote it; ``""`` if none did."""
    return next((text for value in reversed(received) if (text := _date_of(value))), "")


def _first_received(received: Sequence[str], zone: ZoneInfo) -> Written | None:
    return next((found for value in reversed(received) if (found := _received(value, zone))), None)


def _received(value: str, zone: ZoneInfo) -> Written | None:
    return written_time(_date_of(value), zone)


def _date_of(received: str) -> str:
    return without_comments(received).rpartition(";")[2].strip() if ";" in received else ""


def _in_from_line(line: str, zone: ZoneInfo) -> Written | None:
    begin = _IN_FROM_LINE.search(line)
    return written_time(line[begin.start() :], zone) if begin else None
