"""Comparisons of FHIR values (FHIRPath N1 §6.1 and §6.2)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

TIMES = frozenset({"date", "dateTime", "instant"})

_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z|([+-])(\d\d):(\d\d)))?)?)?"
)
_DAY = 24 * 60
#: Where in a dateTime the fraction and the zone begin.
_FRACTION = 19

Number: TypeAlias = Decimal | int | float


def compare(left: Any, right: Any, type_: str) -> int | None:
    """Less, equal or greater, as -1, 0 or 1; ``None`` where it cannot be said.

    It cannot be said of a day and a moment of that day, of quantities in different units, nor of
    a text and a number.
    """
    if isinstance(left, str) and isinstance(right, str):
        return _compare_times(left, right) if type_ in TIMES else _order(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        units = [(q.get("system"), q.get("code", q.get("unit"))) for q in (left, right)]
        if units[0] != units[1] or "value" not in left or "value" not in right:
            return None
        return _order(left["value"], right["value"])
    return _order(left, right) if is_number(left) and is_number(right) else None


def is_number(value: Any) -> bool:
    """Whether it is a number; a truth is none."""
    return isinstance(value, Decimal | int | float) and not isinstance(value, bool)


def _compare_times(left: str, right: str) -> int | None:
    if len(left) == len(right) and left[_FRACTION:] == right[_FRACTION:]:
        return _order(left, right)  # equally precise, in one zone: the usual case
    one, other = _TIME.fullmatch(left), _TIME.fullmatch(right)
    if one is None or other is None:
        return None
    if one[4] and other[4]:
        return _order(_moment(one), _moment(other))
    for mine, theirs in zip(one.group(1, 2, 3), other.group(1, 2, 3), strict=True):
        if mine is None or theirs is None:
            return None if mine != theirs or one[4] or other[4] else 0
        if mine != theirs:
            return _order(mine, theirs)
    return None if one[4] or other[4] else 0


def _moment(match: re.Match[str]) -> tuple[int, Decimal]:
    """Minutes, and the seconds beyond them."""
    year, month, day, hour, minute = (int(part) for part in match.group(1, 2, 3, 4, 5))
    minutes = date(year, month, day).toordinal() * _DAY + hour * 60 + minute
    if match[7]:
        offset = int(match[8]) * 60 + int(match[9])
        minutes -= offset if match[7] == "+" else -offset
    return minutes, Decimal(match[6])


def _order(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)
