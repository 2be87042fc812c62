"""Numbers and the ranges that their written precision implies (FHIR R4 search.html#number)."""

from __future__ import annotations

import re
from decimal import Decimal

INFINITY = Decimal("Infinity")

_NUMBER = re.compile(r"[+-]?\d{1,200}(\.\d{1,200})?([eE][+-]?\d{1,3})?", re.ASCII)


def query_number(text: str) -> tuple[Decimal, Decimal, Decimal]:
    """The number that a query gives, and the half-open range ``low``, ``high`` that it implies.

    ``100`` is 99.5 to 100.5, ``100.00`` is 99.995 to 100.005, and ``1e2`` is 95 to 105: FHIR's own
    example takes a number in exponential notation to be known ten times better than it is written.
    Raises ``ValueError`` for what is no number.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "the pattern lets no infinity pass"
    half = Decimal("0.05" if "e" in text.lower() else "0.5").scaleb(exponent)
    return value, value - half, value + half


def decimal(number: object) -> Decimal:
    """A JSON number as ``Decimal``; raises ``ValueError`` for anything else."""
    if isinstance(number, Decimal):
        return number
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("not a number")
    return Decimal(number)
