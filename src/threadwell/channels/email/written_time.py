"""A date and time as somebody's program wrote it down (RFC 5322 §3.3 and §4.3, ISO 8601, others).

What is read is exact or says what is uncertain about it. Where a date can be read in two ways
(``3/5/2024``), it is not read at all.
"""

from __future__ import annotations

import calendar
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.email.comments import without_comments
from threadwell.channels.email.zone_names import Impossible, offset_in
from threadwell.channels.localtime import to_instant

NO_ZONE = "the date names no time zone; the configured one was taken"
UNSURE_ZONE = "the date names its time zone by letters that mean several; the likeliest was taken"
NO_TIME = "the date names no time of day; midnight was taken"

_LONGEST = 200
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_MONTH_NAMES = [name.lower() for name in calendar.month_name]
#: Months as some programs write them in the language of who uses them, where English has others.
_OTHER_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janv ene gen tammi led",
            "févr fév fev helmi",
            "mär mrz märz mars mrt maalis",
            "avr abr huhti kwi",
            "mai maj mei mag",
            "juin giu haz",
            "juil lug lip",
            "août ago aoû",
            "sept set wrz eyl",
            "okt ott out",
            "lis kas",
            "dez dic déc des gru ara",
        ),
        start=1,
    )
    for name in names.split()
}

_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, ?)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})"
    r" (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)(?![\d:])",
    re.ASCII,
)
_CLOCK = re.compile(
    r"(?<![\d:+-])(\d{1,2}) ?: ?(\d{1,2})(?: ?: ?(\d{1,2})(?:[.,](\d{1,9}))?)?(?![\d:])"
    r"(?: ?([ap])\.? ?m\b\.?)?",
    re.ASCII | re.IGNORECASE,
)
#: As Finns, Danes and Indonesians write a time, beside a month that has its name.
_DOTTED_CLOCK = re.compile(r"(?<![\d.:+-])(\d{1,2})\.(\d\d)(?:\.(\d\d))?()()(?![\d.:])", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)?(?=\D|$)", re.ASCII)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)T?", re.ASCII)
_DOTTED = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d)(?!\d)", re.ASCII)
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4}|\d\d)(?!\d)", re.ASCII)
_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]{3,9}(?![^\W\d_])")
#: Some write the zone in quotation marks.
_PLAIN = {**{ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2212"}, ord('"'): None}
_DAY_BEFORE = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[ .,/-]{0,3}$", re.ASCII)
_DAY_AFTER = re.compile(r"[ .,/-]{0,3}(\d{1,2})(?:st|nd|rd|th)?(?![\d:])", re.ASCII)
_YEAR_AFTER = re.compile(r"[ .,/-]{0,3}(\d{2,4})(?![\d:])", re.ASCII)
_YEAR_LATER = re.compile(r"(?<![\d:+-])(\d{4}|\d{2,3}$)(?![\d:])", re.ASCII)
#: Where the time stood, once it is taken out.
_HOLE = "\0"
_LAST_HOUR, _LAST_SECOND = 24, 59
_NOON = 12


class Written(NamedTuple):
    """The moment that was written, and plain words on what is uncertain about it.

    ``rough`` says that the day is known, and the moment within it hardly. ``wall`` is the time as
    it was written, naive, where the zone is not known.
    """

    moment: datetime
    notes: tuple[str, ...] = ()
    rough: bool = False
    wall: datetime | None = None


def written_time(text: str, zone: ZoneInfo) -> Written | None:
    """The moment that ``text`` names; ``None`` where it names none.

    A time without a zone, or with one that is not known, is one of ``zone``.
    """
    text = text.strip()
    if usual := _USUAL.match(text):
        with suppress(ValueError, KeyError):
            return Written(_usual(usual))
    try:
        return _unusual(text, zone)
    except (ValueError, OverflowError):
        return None


def _usual(found: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    tz = timezone(-offset if sign == "-" else offset) if offset else UTC
    # A leap second is shown as the one before it.
    at = min(int(second), _LAST_SECOND)
    return datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), at, tzinfo=tz)


def _unusual(text: str, zone: ZoneInfo) -> Written | None:
    plain = " ".join(without_comments(text[:_LONGEST]).translate(_PLAIN).split())
    compact = _COMPACT.match(plain)
    if compact:
        year, month, day, *clock = (int(part or 0) for part in compact.groups())
        date = datetime(year, month, day)  # noqa: DTZ001
        time: timedelta | None = _since_midnight(*clock)
        rest = plain[compact.end() :]
    else:
        found = _CLOCK.search(plain)
        if found is None and any(_month(word[0]) for word in _WORD.finditer(plain)):
            found = _DOTTED_CLOCK.search(plain)
        if found:
            plain = f"{plain[: found.start()]}{_HOLE}{plain[found.end() :]}"
        dated = _date(plain)
        if dated is None:
            return None
        date, rest = dated
        time = _time(found) if found else None
        rest = rest.rpartition(_HOLE)[2]
    return _placed(date, time, rest.strip(" ,.;"), zone)


def _placed(date: datetime, time: timedelta | None, rest: str, zone: ZoneInfo) -> Written:
    """The moment of a day, a time since midnight and what follows them."""
    if time is None:
        return Written(to_instant(date, zone).time, (NO_TIME,), rough=True, wall=date)
    wall = date + time
    try:
        offset = offset_in(rest)
    except Impossible:
        return Written(to_instant(wall, zone).time, (NO_ZONE,), rough=True, wall=wall)
    if offset is not None and offset.certain:
        return Written(wall.replace(tzinfo=timezone(offset.value) if offset.value else UTC))
    if rest and rest == wall.replace(tzinfo=zone).tzname():
        return Written(to_instant(wall, zone).time)
    if offset is not None:
        return Written(wall.replace(tzinfo=timezone(offset.value)), (UNSURE_ZONE,))
    return Written(to_instant(wall, zone).time, (NO_ZONE,), wall=wall)


def _time(found: re.Match[str]) -> timedelta:
    hour, minute, second, fraction, half = found.groups()
    hours = int(hour)
    if half and hours <= _NOON:
        hours = hours % _NOON + (_NOON if half in "pP" else 0)
    micros = int((fraction or "0").ljust(6, "0")[:6])
    return _since_midnight(hours, int(minute), int(second or 0), micros)


def _since_midnight(hours: int, minutes: int, seconds: int, micros: int = 0) -> timedelta:
    """The time of a day; midnight at its end is written as 24:00. Raises ``ValueError``."""
    if hours > _LAST_HOUR or (hours == _LAST_HOUR and (minutes or seconds)) or minutes > 59:
        raise ValueError
    seconds = min(seconds, _LAST_SECOND)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)


def _date(text: str) -> tuple[datetime, str] | None:
    """The day in ``text``, and the text without it. Raises ``ValueError``."""
    found = _YEAR_FIRST.search(text)
    if found:
        year, _, month, day = found.groups()
    elif found := _DOTTED.search(text):
        day, month, year = found.groups()
    elif found := _SLASHED.search(text):
        first, second, year = found.groups()
        # Both orders are in use: only a number above twelve, or two equal ones, tell which it is.
        if max(int(first), int(second)) <= _NOON and first != second:
            return None
        month, day = (second, first) if int(first) > _NOON else (first, second)
    else:
        return _date_with_name(text)
    left = text[: found.start()] + text[found.end() :]
    return datetime(_year(year), int(month), int(day)), left  # noqa: DTZ001


def _date_with_name(text: str) -> tuple[datetime, str] | None:
    """``5 Mar 2024``, ``Mar 5, 2024`` and ``Mar 5 09:00:00 2024``."""
    for word in _WORD.finditer(text):
        month = _month(word[0])
        if month:
            break
    else:
        return None
    before, after = text[: word.start()], text[word.end() :]
    day = _DAY_BEFORE.search(before)
    year = _YEAR_AFTER.match(after) if day else None
    if day and year:
        left = before[: day.start()] + after[year.end() :]
        return datetime(_year(year[1]), month, int(day[1])), left  # noqa: DTZ001
    day = _DAY_AFTER.match(after)
    if day is None:
        return None
    after = after[day.end() :]
    year = _YEAR_LATER.search(after)
    if year is None:
        return None
    left = before + after[: year.start()] + after[year.end() :]
    return datetime(_year(year[1]), month, int(day[1])), left  # noqa: DTZ001


def _month(word: str) -> int:
    name = word.lower()
    found = next((at for at, full in enumerate(_MONTH_NAMES) if full and full.startswith(name)), 0)
    return found or _OTHER_MONTHS.get(name, 0)


def _year(text: str) -> int:
    """The year that is meant (RFC 5322 §4.3)."""
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year
