"""The order of day, month and year in an export, which nothing in it states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: WhatsApp is no older.
_FIRST_YEAR = 2009
_BUDDHIST = 543
_MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW", "PR", "GU", "AS", "VI", "MP", "BZ"})
_YEAR_FIRST = frozenset({"CN", "JP", "KR", "TW", "HU", "LT", "MN"})


class DateOrder(StrEnum):
    """How three numbers are read as a date."""

    DAY_FIRST = "day, month, year"
    MONTH_FIRST = "month, day, year"
    YEAR_FIRST = "year, month, day"


@dataclass(frozen=True, slots=True)
class Inferred:
    """The order that fits best; ``certain`` is false where another one fits as well."""

    order: DateOrder
    certain: bool


def read_date(numbers: tuple[str, str, str], order: DateOrder) -> date | None:
    """The date that three numbers are in that order; ``None`` if there is no such day."""
    a, b, c = map(int, numbers)
    year, month, day = {
        DateOrder.DAY_FIRST: (c, b, a),
        DateOrder.MONTH_FIRST: (c, a, b),
        DateOrder.YEAR_FIRST: (a, b, c),
    }[order]
    if year < 100:
        year += 2000
    elif year > 2400:
        year -= _BUDDHIST
    try:
        return date(year, month, day)
    except ValueError:
        return None


def infer_order(dates: Iterable[tuple[str, str, str]], separator: str, country: str) -> Inferred:
    """The order in which all ``dates`` of an export, in its sequence, make the most sense.

    First that every date exists and WhatsApp did too; then that time goes forward, as exports
    do; what is left is the custom of ``country``.
    """
    preferred = _preferred(country)
    scores = {order: _Score() for order in preferred}
    for numbers in dict.fromkeys(dates):
        for order, score in scores.items():
            score.add(numbers, order)
    candidates = [order for order in preferred if not _excluded(scores[order], order, separator)]
    ranked = sorted(candidates or preferred, key=lambda order: scores[order].rank)
    best = ranked[0]
    certain = not any(
        scores[other].rank == scores[best].rank and scores[other].days != scores[best].days
        for other in ranked[1:]
        # A year of two digits comes first hardly anywhere: no reason to doubt.
        if other is not DateOrder.YEAR_FIRST
    )
    return Inferred(best, certain)


class _Score:
    """How much of an export one order makes nonsense of."""

    def __init__(self) -> None:
        self.impossible = self.unlikely = self.backward = 0
        self.days: list[date] = []
        self.misplaced_year = False
        self._last: date | None = None

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.impossible, self.unlikely, self.backward

    def add(self, numbers: tuple[str, str, str], order: DateOrder) -> None:
        year = 0 if order is DateOrder.YEAR_FIRST else 2
        if any(len(number) > 2 for place, number in enumerate(numbers) if place != year):
            self.misplaced_year = True
        day = read_date(numbers, order)
        if day is None:
            self.impossible += 1
            return
        self.unlikely += day.year < _FIRST_YEAR
        self.backward += self._last is not None and day < self._last
        self._last = day
        self.days.append(day)


def _excluded(score: _Score, order: DateOrder, separator: str) -> bool:
    # Nobody writes a month first with points.
    return score.misplaced_year or (order is DateOrder.MONTH_FIRST and separator == ".")


def _preferred(country: str) -> tuple[DateOrder, ...]:
    if country in _MONTH_FIRST:
        return DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST, DateOrder.YEAR_FIRST
    if country in _YEAR_FIRST:
        return DateOrder.YEAR_FIRST, DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST
    return DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST, DateOrder.YEAR_FIRST
