"""Times as the logs of Twilio have them, and the programs that print them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from threadwell.messages import gaps

#: As JavaScript prints a date: ``Mon May 23 2016 10:21:45 GMT+0000 (Coordinated Universal Time)``.
_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{4} \d{2}:\d{2}:\d{2}) GMT([+-]\d{4})"
    r"(?: \([^()]{1,60}\))?"
)
_RFC_2822 = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}[^\n]{0,40}")
_SPACED_OFFSET = re.compile(r"\s(?=[+-]\d{2}:?\d{2}\Z)")
_NUMBER = re.compile(r"\d{10}(?:\d{3})?")
_FIRST_YEAR = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(NamedTuple):
    """A moment in UTC, and what could not be known of it."""

    time: datetime
    notes: tuple[str, ...] = ()


def parse_time(text: str) -> Instant | None:
    """The moment of RFC 2822, ISO 8601, JavaScript, or seconds or milliseconds since 1970.

    Twilio writes its own times in UTC, and programs that leave the zone out leave that one out.
    """
    written = text.strip()
    try:
        found = _parsed(written)
        if found is None or found.year < _FIRST_YEAR:
            return None
        if found.tzinfo is None:
            return Instant(found.replace(tzinfo=UTC), (gaps.NO_ZONE,))
        return Instant(found.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _parsed(written: str) -> datetime | None:
    if _NUMBER.fullmatch(written):
        return _EPOCH + timedelta(
            seconds=int(written) if len(written) == 10 else int(written) / 1000
        )
    if script := _JAVASCRIPT.fullmatch(written):
        return parsedate_to_datetime(f"{script[2]} {script[1]} {script[3]} {script[4]}")
    if written[:4].isdecimal() and written[4:5] == "-":
        if written[-4:].upper() in (" UTC", " GMT"):
            written = f"{written[:-4]}Z"
        if len(written) <= len("2024-05-01"):
            return None
        return datetime.fromisoformat(_SPACED_OFFSET.sub("", written))
    if not _RFC_2822.fullmatch(written):
        return None
    found = parsedate_to_datetime(written)
    # ``-0000`` is UTC of which nobody says where it was (RFC 5322 §3.3).
    return found if found.tzinfo else found.replace(tzinfo=UTC)
