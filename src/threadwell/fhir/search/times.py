"""Dates and times as stretches in microseconds since 1970 UTC (FHIR R4 search.html#date)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

#: One second, in the unit of this module.
SECOND = 1_000_000
_DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)

#: Letters of a time that is remembered; more would be no ordinary one.
_SHORT = 40

# The fraction beyond microseconds and the leap second are legal in FHIR and unknown to datetime.
_ODD = re.compile(r"(T\d\d:\d\d):60|(\.\d{6})\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


def value_range(text: str) -> tuple[int, int]:
    """The half-open stretch that a date, dateTime or instant of a resource stands for.

    A partial date spans its year, month or day. A time is a millisecond long, though it be written
    to the second: it says when something happened, not that it took a second. One that is written
    finer is as long as its last digit says, down to a microsecond. Without a zone it is UTC.
    Raises ``ValueError`` for what is no date.
    """
    return _value_range(text) if len(text) > _SHORT else _remembered_range(text)


def date_range(text: str) -> tuple[int, int] | None:
    """The same; ``None`` for what is no date, as a leap second or a day that does not exist: it may
    pass a schema, and is found by no date.
    """
    try:
        return value_range(text) if text else None
    except ValueError:
        return None


def _value_range(text: str) -> tuple[int, int]:
    if len(text) <= 10:
        return _date_range(text)
    low = _microseconds(text)
    # Where a fraction has a fourth digit: after "2024-04-10T09:00:00.123".
    if text[19:20] == "." and text[23:24].isdigit():
        digits = len(text) - 20 - len(text[20:].lstrip("0123456789"))
        return low, low + 10 ** max(0, 6 - digits)
    return low, low + 1000


#: A session, its header and its encounters have the times of its messages.
_remembered_range = lru_cache(maxsize=1024)(_value_range)


def query_range(text: str) -> tuple[int, int]:
    """The half-open stretch that a date in a query implies, down to its written precision.

    ``2024-04-10T09:00`` is a minute, ``…:00`` a second, ``….000`` a millisecond. The time may be
    without a zone (UTC). Raises ``ValueError`` for what is no date.
    """
    if len(text) <= 10:
        return _date_range(text)
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError("not a date")
    low = _microseconds(text)
    if not match[1]:
        return low, low + 60 * SECOND
    if not match[2]:
        return low, low + SECOND
    return low, low + max(1, 10 ** (7 - min(len(match[2]), 7)))


def _date_range(text: str) -> tuple[int, int]:
    if not _DATE.fullmatch(text):
        raise ValueError("not a date")
    year = int(text[:4])
    if len(text) == 10:
        low = date(year, int(text[5:7]), int(text[8:])).toordinal()
        high = low + 1
    elif len(text) == 7:
        month = int(text[5:])
        low = date(year, month, 1).toordinal()
        high = low + monthrange(year, month)[1]
    else:
        low = date(year, 1, 1).toordinal()
        high = date(year, 12, 31).toordinal() + 1
    return (low - _EPOCH_DAY) * _DAY, (high - _EPOCH_DAY) * _DAY


def _microseconds(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        plain = _ODD.sub(lambda m: f"{m[1]}:59" if m[1] else m[2], text)
        if plain == text or not _TIME.fullmatch(text):
            raise
        time = datetime.fromisoformat(plain)
        if ":60" in text:
            return _since_epoch(time) + SECOND
    return _since_epoch(time)


def _since_epoch(time: datetime) -> int:
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND
