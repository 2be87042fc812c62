"""Numbers and the ranges that their written precision implies (FHIR R4 search.html#number)."""

from __future__ import annotations

import re
from decimal import Context, Decimal

INFINITY = Decimal("Infinity")

_HALF = Decimal("0.5")
#: Steps to the next number that are finer than anybody writes.
_FINE = Context(prec=250)
#: More digits than a query can write: nothing is rounded.
_EXACT = Context(prec=1000)
_TENTH = Decimal("0.1")
_NUMBER = re.compile(r"[+-]?\d{1,200}(\.\d{1,200})?([eE][+-]?\d{1,3})?", re.ASCII)


def query_number(text: str) -> tuple[Decimal, Decimal, Decimal]:
    """The number that a query gives, and the half-open range ``low``, ``high`` that it implies.

    ``100`` is 99.5 to 100.5, ``100.00`` is 99.995 to 100.005, ``1.00e2`` is what ``100`` is, and
    ``1e2`` is 50 to 150: what counts are the digits that are written. Raises ``ValueError`` for
    what is no number.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "the pattern lets no infinity pass"
    half = _HALF.scaleb(exponent)
    return value, _EXACT.subtract(value, half), _EXACT.add(value, half)


def about(value: Decimal) -> tuple[Decimal, Decimal]:
    """A tenth of the number to either side: what ``ap`` means (§3.1.1.4.5)."""
    gap = _EXACT.multiply(value.copy_abs(), _TENTH)
    return _EXACT.subtract(value, gap), _EXACT.add(value, gap)


def compared(value: Decimal, comparator: str) -> tuple[Decimal, Decimal]:
    """From where to where, both included, a quantity reaches whose ``comparator`` is one of R4's;
    ``<5`` ends just below 5.
    """
    match comparator:
        case "<":
            return -INFINITY, value.next_minus(_FINE)
        case "<=":
            return -INFINITY, value
        case ">":
            return value.next_plus(_FINE), INFINITY
        case ">=":
            return value, INFINITY
        case _:
            return value, value


def decimal(number: object) -> Decimal:
    """A JSON number as ``Decimal``; raises ``ValueError`` for anything else."""
    if isinstance(number, Decimal):
        return number
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("not a number")
    return Decimal(number)
