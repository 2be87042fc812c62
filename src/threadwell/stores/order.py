"""The order of matches: by the keys of ``_sort``, by natural time without them, then by creation.

Matches that tie stand in the order of their creation, or the reverse of it where the first key is
descending, so that a descending search is one walk of an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from threadwell.fhir.search.fold import fold, searched
from threadwell.fhir.search.query import Ordered, Place, Query, Sort
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A match to put in order. ``created`` grows with every resource made in the store."""

    created: int
    id: str
    updated: int
    values: IndexValues

    def place(self, type_: str, sort: Sequence[Sort]) -> Place:
        """Where it stands among those of its type."""
        if not sort:
            return Place((natural_time(type_, self.values),), self.created)
        return Place(tuple([self._value(key) for key in sort]), self.created)

    def _value(self, sort: Sort) -> Ordered | None:
        match sort.param:
            case "_id":
                return self.id
            case "_lastUpdated":
                return self.updated
            case _:
                return sort_value(self.values, sort)


#: Texts are put in order by no more of them than this: a place has to fit into a link.
LETTERS = 200

#: A match, and where it stands.
Placed: TypeAlias = tuple[Candidate, Place]


def in_order(type_: str, candidates: Iterable[Candidate], sort: Sequence[Sort]) -> list[Placed]:
    """The candidates of one type in the order that the contract asks for."""
    placed = [(candidate, candidate.place(type_, sort)) for candidate in candidates]
    ways = _ways(sort)
    placed.sort(key=lambda one: one[1].number, reverse=ways[0])
    for at in reversed(range(len(ways))):
        placed.sort(key=_value_at(at), reverse=ways[at])
    return placed


def ahead(placed: Sequence[Placed], query: Query) -> Sequence[Placed]:
    """Those that are ahead of a query from where it goes on, in its direction."""
    after, sort = query.after, query.sort
    if after is not None and query.back:
        return [one for one in reversed(placed) if follows(after, one[1], sort)]
    if after is not None:
        return [one for one in placed if follows(one[1], after, sort)]
    return placed[::-1] if query.back else placed


def follows(place: Place, after: Place, sort: Sequence[Sort]) -> bool:
    """Whether a place stands behind another one."""
    ways = _ways(sort)
    for one, other, descending in zip(place.values, after.values, ways, strict=True):
        if one != other:
            return (_comparable(one) > _comparable(other)) is not descending
    if place.number == after.number:
        return False
    return (place.number > after.number) is not ways[0]


def keys_of(sort: Sequence[Sort]) -> frozenset[str]:
    """The search parameters whose values put resources in order."""
    return frozenset([key.param for key in sort])


def sort_value(values: IndexValues, sort: Sort) -> Ordered | None:
    """What a resource is sorted by under a search parameter, ``None`` without a value."""
    places = [
        place
        for value in values.get(sort.param, ())
        if (place := _ordered(value)) != "" or isinstance(value, StringValue)
    ]
    if not places:
        return None
    pick: Callable[..., Ordered] = max if sort.descending else min
    return pick(places)


def _ways(sort: Sequence[Sort]) -> list[bool]:
    """Whether each key descends."""
    return [key.descending for key in sort] or [False]


def _value_at(at: int) -> Callable[[Placed], Any]:
    return lambda one: _comparable(one[1].values[at])


def _comparable(value: Any) -> Any:
    # What has no value stands before everything that has one.
    return (False, 0) if value is None else (True, value)


def _ordered(value: IndexValue) -> Ordered:
    found = _whole(value)
    return found[:LETTERS] if isinstance(found, str) else found


def _whole(value: IndexValue) -> Ordered:
    """A value as its order goes, ``""`` where it has none."""
    match value:
        case DateValue():
            return value.low
        case NumberValue() | QuantityValue():
            return value.value
        case StringValue():
            return searched(value.text)
        case TokenValue():
            return value.code or fold(value.text)
        case ReferenceValue():
            return f"{value.type}/{value.id}" if value.id else value.url
        case UriValue():
            return value.uri
        case _:
            return ""
