"""The order of matches: by the keys of ``_sort``, by natural time without them, then by creation.

Matches that tie stand in the order of their creation, or the reverse of it where the first key is
descending, so that a descending search is one walk of an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from threadwell.fhir.search.fold import fold
from threadwell.fhir.search.query import Sort
from threadwell.fhir.search.values import (
    DateValue,
    IndexValue,
    IndexValues,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from threadwell.stores.natural import natural_time

Ordered: TypeAlias = int | str | Decimal


@dataclass(frozen=True, slots=True)
class Candidate:
    """A match to put in order. ``created`` grows with every resource made in the store."""

    created: int
    id: str
    updated: int
    values: IndexValues


def in_order(type_: str, candidates: Iterable[Candidate], sort: Sequence[Sort]) -> list[Candidate]:
    """The candidates of one type in the order that the contract asks for."""
    if not sort:
        return sorted(candidates, key=lambda c: (natural_time(type_, c.values), c.created))
    ordered = sorted(candidates, key=lambda c: c.created, reverse=sort[0].descending)
    for key in reversed(sort):
        ordered.sort(key=_place(key), reverse=key.descending)
    return ordered


def sort_value(values: IndexValues, sort: Sort) -> Ordered | None:
    """What a resource is sorted by under a search parameter, ``None`` without a value."""
    places = [place for value in values.get(sort.param, ()) if (place := _ordered(value)) != ""]
    if not places:
        return None
    pick: Callable[..., Ordered] = max if sort.descending else min
    return pick(places)


def _place(sort: Sort) -> Callable[[Candidate], tuple[bool, Ordered]]:
    def place(candidate: Candidate) -> tuple[bool, Ordered]:
        if sort.param == "_id":
            return True, candidate.id
        if sort.param == "_lastUpdated":
            return True, candidate.updated
        value = sort_value(candidate.values, sort)
        return (False, 0) if value is None else (True, value)

    return place


def _ordered(value: IndexValue) -> Ordered:
    """A value as its order goes, ``""`` where it has none."""
    match value:
        case DateValue():
            return value.low
        case NumberValue() | QuantityValue():
            return value.value
        case StringValue():
            return fold(value.text)
        case TokenValue():
            return value.code or fold(value.text)
        case ReferenceValue():
            return f"{value.type}/{value.id}" if value.id else value.url
        case UriValue():
            return value.uri
        case _:
            return ""
