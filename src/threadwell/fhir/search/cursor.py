"""``_cursor``: where the next page begins, as the links between pages say it.

What it holds is the server's own matter: clients take it from a link, and pass it back.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.search.catalogue import R4, Catalogue
from threadwell.fhir.search.field import field
from threadwell.fhir.search.query import Ordered, Place, Sort


class Cursor(NamedTuple):
    """A page begins behind a place, or with ``back`` ends before it.

    ``at`` is the query that the place is of, where a search is made of several.
    """

    place: Place
    back: bool = False
    at: int = 0


def write_cursor(cursor: Cursor) -> str:
    """The cursor as a text of letters, digits, ``-`` and ``_``."""
    (values, number), back, at = cursor
    written = [_written(value) for value in values]
    parts = [written, number, int(back), *([at] if at else [])]
    return urlsafe_b64encode(encode(parts)).decode().rstrip("=")


def read_cursor(type_: str, sort: Sequence[Sort], text: str, catalogue: Catalogue = R4) -> Cursor:
    """The cursor that a link of a search of that type and order had.

    Raises ``FhirError`` 400 for any other text.
    """
    try:
        packed = urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}")
        values, number, back, *more = json.loads(packed)
        (at,) = more or (0,)
        kinds = [_kind(type_, key, catalogue) for key in sort] or [int]
        read = [_read(kind, value) for kind, value in zip(kinds, values, strict=True)]
        if back not in (0, 1) or _whole(at) < 0:
            raise ValueError
        return Cursor(Place(tuple(read), _whole(number)), bool(back), at)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise _invalid() from None


def _written(value: Ordered | None) -> Any:
    return [str(value)] if isinstance(value, Decimal) else value


def _kind(type_: str, sort: Sort, catalogue: Catalogue) -> type[Ordered]:
    """What matches are sorted by under that key."""
    if sort.param == "_id":
        return str
    if sort.param == "_lastUpdated":
        return int
    match field(type_, sort.param, catalogue).type:
        case "date":
            return int
        case "number" | "quantity":
            return Decimal
        case _:
            return str


def _read(kind: type[Ordered], value: Any) -> Ordered | None:
    if value is None:
        return None
    if kind is int:
        return _whole(value)
    if kind is str:
        if not isinstance(value, str):
            raise ValueError
        return value
    (digits,) = value
    number = Decimal(digits)
    if not number.is_finite():
        raise ValueError
    return number


def _whole(value: Any) -> int:
    # Microseconds, and so a thousand times milliseconds, of a database's integers.
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _invalid() -> FhirError:
    return invalid("_cursor is not from a link of this search")
