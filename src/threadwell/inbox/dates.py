"""Days and times as the practice writes them: in its country's order, in the care time zone.

One form for pages and commands alike. Months have names, so that no date can be read in two ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from threadwell.intake.care_zone import care_zone
from threadwell.intake.country import care_country
from threadwell.stores.contract import Store

#: Countries that write the month first (CLDR's English locales), ISO 3166-1 alpha-2.
_MONTH_FIRST = frozenset(("US", "AS", "CA", "FM", "GU", "MH", "MP", "PH", "PR", "PW", "UM", "VI"))
#: Countries that write the year first.
_YEAR_FIRST = frozenset(("BT", "CN", "HU", "JP", "KP", "KR", "LT", "MN", "SE", "TW"))
#: Countries whose clocks have twelve hours.
_TWELVE_HOURS = _MONTH_FIRST | {
    *("AE", "AU", "BB", "BD", "BH", "BM", "BS", "BZ", "CO", "DO", "EG", "FJ", "GD", "GY", "HK"),
    *("IN", "JM", "JO", "KR", "KW", "LC", "LK", "MT", "MY", "NP", "NZ", "OM", "PG", "PK", "QA"),
    *("SA", "SG", "TT"),
}
#: A day by which a form shows how days are written.
EXAMPLE = date(2026, 3, 4)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORD = re.compile(r"[A-Za-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Dates:
    """How days and times are written: in ``zone``, as in ``country`` (ISO 3166-1 alpha-2)."""

    zone: ZoneInfo
    country: str = "US"

    def moment(self, text: Any) -> datetime | date | None:
        """A FHIR ``dateTime`` in the zone; a bare date (or year, or month) as its first day."""
        if not isinstance(text, str):
            return None
        try:
            if "T" in text:
                return datetime.fromisoformat(text).astimezone(self.zone)
            return date.fromisoformat((text + "-01-01")[:10])
        except (ValueError, OverflowError):
            return None

    def day(self, day: date) -> str:
        """``Mar 4, 2024``; ``4 Mar 2024``; ``2024-03-04``."""
        if self.country in _YEAR_FIRST:
            return f"{day:%Y-%m-%d}"
        if self.country in _MONTH_FIRST:
            return f"{day:%b} {day.day}, {day.year}"
        return f"{day.day} {day:%b} {day.year}"

    def read(self, text: str) -> date:
        """The day that somebody has written as ``day`` writes it, or in digits in its order.

        ``2024-03-04`` is read everywhere. Raises ``ValueError`` for anything else.
        """
        words = [word.lower() for word in _WORD.findall(text)]
        if len(words) != 3:
            raise ValueError(text)
        named = [at for at, word in enumerate(words) if word[:3] in _MONTHS]
        if len(words[0]) == 4:
            year, month, day = words
        elif named == [0] or (not named and self.country in _MONTH_FIRST):
            month, day, year = words
        else:
            day, month, year = words
        number = _MONTHS.index(month[:3]) + 1 if named else int(month)
        return date(int(year) + (2000 if len(year) == 2 else 0), number, int(day))

    def whole_day(self, day: date) -> str:
        """``Monday, March 4, 2024``; ``Monday, 4 March 2024``; ``Monday, 2024-03-04``."""
        if self.country in _YEAR_FIRST:
            return f"{day:%A}, {day:%Y-%m-%d}"
        if self.country in _MONTH_FIRST:
            return f"{day:%A}, {day:%B} {day.day}, {day.year}"
        return f"{day:%A}, {day.day} {day:%B} {day.year}"

    def clock(self, when: datetime) -> str:
        """``9:14 AM``, or ``09:14``."""
        if self.country in _TWELVE_HOURS:
            return f"{when.hour % 12 or 12}:{when:%M} {'AM' if when.hour < 12 else 'PM'}"
        return f"{when:%H:%M}"

    def text(self, when: Any) -> str:
        """``Mar 4, 2024, 9:14 AM`` of a moment or FHIR ``dateTime``; a date alone has no time.

        ``""`` of anything else.
        """
        at = when if isinstance(when, date) else self.moment(when)
        if isinstance(at, datetime):
            at = at.astimezone(self.zone)
            return f"{self.day(at)}, {self.clock(at)}"
        return self.day(at) if at else ""

    def span(self, start: Any, end: Any) -> str:
        """``Mar 4, 2024, 9:14 AM – 9:52 AM``, or two days: ``Mar 4, 2024 – Mar 6, 2024``.

        Of a span that has not ended, ``since Mar 4, 2024, 9:14 AM``.
        """
        first, last = self.moment(start), self.moment(end)
        if first is None:
            return "no date"
        if last is None:
            return f"since {self.text(first)}"
        days = [self.day(first), self.day(last)]
        if days[0] != days[1]:
            return " – ".join(days)
        if isinstance(first, datetime) and isinstance(last, datetime):
            times = dict.fromkeys([self.clock(first), self.clock(last)])
            return f"{days[0]}, {' – '.join(times)}"
        return days[0]


def bad_day(text: str, dates: Dates) -> str:
    """What to say where a text that somebody typed is no day."""
    return f"“{text[:40]}” is no day: write it as {dates.day(EXAMPLE)}."


async def dates_of(store: Store) -> Dates:
    """How the practice of a store writes days and times."""
    return Dates(await care_zone(store), await care_country(store))
