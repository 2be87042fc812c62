"""Whether a filter holds for a resource, asked of the resource and of what its links lead to.

The same as ``fhir.search.match``, for what is not in the store yet, or not worth a search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import matches
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    EitherFilter,
    Filter,
    HasFilter,
    NotFilter,
    within,
)
from threadwell.fhir.search.values import IndexValues, ReferenceValue
from threadwell.stores.contract import Key, Stored

#: Versions that are remembered with what they are found by, each of no more bytes than this.
_MOST, _SHORT = 2_000, 8_000
_SEEN: dict[tuple[str, str, str, frozenset[str]], Seen] = {}


@dataclass
class Seen:
    """A resource as search sees it (``fhir.search.match.Subject``), alone."""

    type: str
    id: str
    updated: int
    body: bytes | Resource
    bases: frozenset[str]

    @cached_property
    def values(self) -> IndexValues:
        """What it is found by."""
        body: Resource = decode(self.body) if isinstance(self.body, bytes) else self.body
        return extract(body, self.bases)

    def referred(self, param: str) -> Iterable[Seen]:  # noqa: ARG002 - ``holds`` follows links
        """Nothing else is looked at."""
        return ()

    def referring(self, type_: str, param: str) -> Iterable[Seen]:  # noqa: ARG002
        """Nothing else is looked at."""
        return ()

    def links(self, param: str) -> list[Key]:
        """What the references of a parameter lead to, of our own."""
        found = [v for v in self.values.get(param, ()) if isinstance(v, ReferenceValue)]
        return [Key(value.type, value.id) for value in found if value.id]


def seen(stored: Stored, bases: frozenset[str]) -> Seen:
    """A version as search sees it. A thread's header is looked at for each of its messages."""
    place = (stored.type, stored.id, stored.version_id, bases)
    found = _SEEN.get(place)
    if found is None or found.body != stored.body:
        if len(_SEEN) >= _MOST:
            _SEEN.clear()
        found = Seen(stored.type, stored.id, stored.updated, stored.body, bases)
        if len(stored.body) <= _SHORT:
            _SEEN[place] = found
    return found


class Around(Protocol):
    """What links lead to."""

    async def current(self, keys: Sequence[Key]) -> Mapping[Key, Seen]:
        """Those of the resources that are there."""
        ...

    async def refers(self, type_: str, param: str, to: Seen, filter_: Filter) -> bool:
        """Whether a resource of that type that matches refers to one by that parameter."""
        ...


async def all_hold(filters: Iterable[Filter], of: Seen, around: Around) -> bool:
    """Whether every filter holds for a resource."""
    for filter_ in filters:
        if not await holds(filter_, of, around):
            return False
    return True


async def holds(filter_: Filter, of: Seen, around: Around) -> bool:
    """Whether the filter holds for a resource."""
    match filter_:
        case AllFilter(filters):
            return await all_hold(filters, of, around)
        case EitherFilter(alternatives):
            for filters in alternatives:
                if await all_hold(filters, of, around):
                    return True
            return False
        case NotFilter(inner):
            return not await holds(inner, of, around)
        case ChainFilter(param, types, filters):
            by_type = dict(zip(types, filters, strict=True))
            keys = [key for key in of.links(param) if key.type in by_type]
            found = await around.current(keys) if keys else {}
            for key, target in found.items():
                if await holds(by_type[key.type], target, around):
                    return True
            return False
        case HasFilter(type_, param, further):
            return await around.refers(type_, param, of, further)
        case _:
            assert not within(filter_)
            return matches(filter_, of)
