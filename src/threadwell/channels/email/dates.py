"""When a mail was sent and received, from whatever its header says (RFC 5322 §3.3, §4.3)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.localtime import to_instant

NO_ZONE = "the date names no time zone; the configured one was taken"
FROM_RECEIVED = "no usable date; the time at which a mail server received it was taken"
FROM_LINE = "no usable date; the time in the mailbox file was taken"
TOO_OLD = "the date lies before there was e-mail"
IN_THE_FUTURE = "the date lies in the future"

_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, ?)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})"
    r" (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)(?![\d:])"
)
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?: ?[+-]\d\d:?\d\d|Z)?")
_ASCTIME = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) +(\d{1,2}) +(\d\d):(\d\d)(?::(\d\d))?"
    r"(?: +(?:[A-Z]{3,4}|[+-]\d{4}))? +(\d{4})"
)
_COMMENT = re.compile(r"\([^()]*\)")
_COLON = re.compile(r" *: *")
_OFFSET = re.compile(r"[+-]\d{4}\b")
# Mail as we know it is younger; an older date is that of a clock that was never set.
_FIRST_YEAR = 1971


class Dates(NamedTuple):
    """``sent`` is ``None`` where nothing tells it; ``received`` where no server noted it."""

    sent: datetime | None
    received: datetime | None
    notes: list[str]


def find_dates(
    date: str, received: Sequence[str], from_line: str, zone: ZoneInfo, now: datetime
) -> Dates:
    """The dates of a mail.

    ``date`` is its Date field, ``received`` its Received fields (topmost first), ``from_line`` the
    From_ line of the mailbox file; each ``""`` or empty if absent. A usable Date wins, then the
    first server that received the mail, then the mailbox file.
    """
    notes: list[str] = []
    arrived = parse_date(received[0].rpartition(";")[2], zone)[0] if received else None
    sent, note = parse_date(date, zone)
    if sent is None or sent.year < _FIRST_YEAR:
        served, boxed = _first_received(received, zone), _from_line_date(from_line, zone)
        if served is not None:
            sent, note = served, FROM_RECEIVED
        elif boxed is not None:
            sent, note = boxed, FROM_LINE
        elif sent is not None:
            note = TOO_OLD
    if sent is None:
        return Dates(None, arrived, [])
    if note:
        notes.append(note)
    if sent > now + timedelta(days=1):
        notes.append(IN_THE_FUTURE)
    return Dates(sent, arrived, notes)


def parse_date(value: str, zone: ZoneInfo) -> tuple[datetime | None, str]:
    """The moment a Date field names, and a note; ``None`` where it names none."""
    value = value.strip()
    usual = _USUAL.match(value)
    try:
        if usual:
            return _usual(usual), ""
        return _unusual(value, zone)
    except (ValueError, OverflowError, KeyError):
        return None, ""


def _usual(found: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    tz = timezone(-offset if sign == "-" else offset) if offset else UTC
    # A leap second is shown as the one before it.
    at = min(int(second), 59)
    return datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), at, tzinfo=tz)


def _unusual(value: str, zone: ZoneInfo) -> tuple[datetime | None, str]:
    iso = _ISO.match(value)
    if iso:
        moment = datetime.fromisoformat(iso[0].replace(" +", "+").replace(" -", "-"))
        if moment.tzinfo is not None:
            return moment, ""
    else:
        parts = parsedate_tz(_COLON.sub(":", _COMMENT.sub(" ", value)))
        if parts is None:
            return None, ""
        year, month, day, hour, minute, second = parts[:6]
        moment = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
        offset = parts[9]
        if offset or (offset == 0 and _names_utc(value)):
            return moment.replace(tzinfo=timezone(timedelta(seconds=offset))), ""
    return to_instant(moment, zone).time, NO_ZONE


def _names_utc(value: str) -> bool:
    """``parsedate_tz`` says 0 both for UTC and for zones that it does not know."""
    return bool(_OFFSET.search(value) or re.search(r"\b(?:GMT|UTC?|Z)\b", value, re.IGNORECASE))


def _first_received(received: Sequence[str], zone: ZoneInfo) -> datetime | None:
    for value in reversed(received):
        moment, _ = parse_date(value.rpartition(";")[2], zone)
        if moment is not None:
            return moment
    return None


def _from_line_date(line: str, zone: ZoneInfo) -> datetime | None:
    found = _ASCTIME.search(line)
    if found is None:
        return None
    month, day, hour, minute, second, year = found.groups()
    try:
        wall = datetime(  # noqa: DTZ001
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second or 0)
        )
    except (ValueError, KeyError):
        return None
    return to_instant(wall, zone).time
