"""Dates and numbers in the inverted index: which stretch of a posting list a comparison asks for.

A posting list has one order, that of where its values begin. So dates are kept apart by how long
they are: of values that are all one millisecond, or one day, the beginning tells everything; of
values that are at most a month long it leaves a month of doubt, which the resource itself settles.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from threadwell.fhir.search.sought import DateMatch, NumberMatch, Prefix, QuantityMatch
from threadwell.fhir.search.values import MIN_TIME, NumberValue, QuantityValue

#: A stretch of a posting list, both ends included.
Stretch: TypeAlias = tuple[int, int]

LOWEST = -(2**63)
HIGHEST = 2**63 - 1
WHOLE: Stretch = (LOWEST, HIGHEST)

_DAY = 86_400_000_000
#: What these ask is answered by where a date begins, however long it is.
_BY_BEGINNING = frozenset({Prefix.LT, Prefix.LE, Prefix.SA})


class Width(NamedTuple):
    """Dates that are ``microseconds`` long, or at most so long where not ``exact``.

    Those of ``INSTANT`` are a millisecond that begins with one, or lie within such: for a query
    that begins and ends with a millisecond they are as good as without length.
    """

    name: str
    microseconds: int
    exact: bool


_MILLISECOND = 1000
INSTANT = Width("instant", _MILLISECOND, False)
_POINT = Width("instant", 1, True)
#: Those of ``meta.lastUpdated``, which are a millisecond each.
UPDATED = Width("updated", _MILLISECOND, True)
_ONE_DAY = Width("day", _DAY, True)
_OPEN = Width("open", 2**63, False)
_UP_TO = (
    Width("hours", _DAY, False),
    Width("month", 31 * _DAY, False),
    Width("year", 366 * _DAY, False),
)
WIDTHS: tuple[Width, ...] = (INSTANT, _ONE_DAY, *_UP_TO, _OPEN)


def width(low: int, high: int) -> Width:
    """Where a date from one moment to another is kept."""
    long = high - low
    if long <= _MILLISECOND and low // _MILLISECOND == (high - 1) // _MILLISECOND:
        return INSTANT
    if long == _ONE_DAY.microseconds:
        return _ONE_DAY
    if low == MIN_TIME:
        return _OPEN
    return next((kind for kind in _UP_TO if long <= kind.microseconds), _OPEN)


def decides(match: DateMatch, kind: Width) -> bool:
    """Whether of dates of that width the beginning tells which match."""
    return _as_good_as(match, kind).exact or match.prefix in _BY_BEGINNING


def date_stretches(match: DateMatch, kind: Width) -> Iterator[Stretch]:
    """Where the dates of that width that match begin; more than these where that cannot tell."""
    kind = _as_good_as(match, kind)
    low, high, long = match.low, match.high, kind.microseconds
    shortest = long if kind.exact else 0
    last_within = high - shortest
    match match.prefix:
        case Prefix.EQ:
            found = [(low, last_within)]
        case Prefix.NE if kind.exact and low <= last_within:
            found = [(LOWEST, low - 1), (last_within + 1, HIGHEST)]
        case Prefix.NE:
            found = [WHOLE]
        case Prefix.GT:
            found = [(high - long + 1, HIGHEST)]
        case Prefix.GE:
            found = [(low - long + 1, HIGHEST)]
        case Prefix.LT:
            found = [(LOWEST, low - 1)]
        case Prefix.LE:
            found = [(LOWEST, high - 1)]
        case Prefix.SA:
            found = [(high, HIGHEST)]
        case Prefix.EB:
            found = [(LOWEST, low - shortest)]
        case Prefix.AP:
            found = [(low - long + 1, high - 1)]
    for first, last in found:
        if first <= last:
            yield max(first, LOWEST), min(last, HIGHEST)


def _as_good_as(match: DateMatch, kind: Width) -> Width:
    whole = match.low % _MILLISECOND == 0 and match.high % _MILLISECOND == 0
    return _POINT if kind is INSTANT and whole else kind


def number_stretch(match: NumberMatch | QuantityMatch) -> Stretch:
    """Where numbers that may match lie in the order of ``number_place``."""
    match match.prefix:
        case Prefix.EQ | Prefix.AP:
            return number_place(match.low), number_place(match.high)
        case Prefix.GT | Prefix.GE | Prefix.SA:
            return number_place(match.value), HIGHEST
        case Prefix.LT | Prefix.LE | Prefix.EB:
            return LOWEST, number_place(match.value)
        case Prefix.NE:
            return WHOLE


def number_kind(value: NumberValue | QuantityValue) -> str:
    """``point`` for a number, ``range`` for what reaches from one to another."""
    return "point" if value.low == value.high else "range"


def number_place(number: Decimal) -> int:
    """An integer that is ordered as the numbers are; close numbers may share one."""
    (bits,) = struct.unpack(">q", struct.pack(">d", float(number) + 0.0))
    return int(bits) if bits >= 0 else -(int(bits) & 0x7FFF_FFFF_FFFF_FFFF)
