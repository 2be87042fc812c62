"""What a query asks for anyway: a limit that it keeps by itself need not be asked for again.

``Communication?recipient=Practitioner/1`` finds nothing in which that practitioner has no part. So
the searches that people's own pages are made of cost with a policy what they cost without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache

from threadwell.access.policy import leads_on
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.search.query import (
    ChainFilter,
    EitherFilter,
    Filter,
    MissingFilter,
    ReferenceFilter,
    parts_of,
)
from threadwell.stores.contract import Key

#: Whether all of some resources are there, and a filter holds for each.
AllHold = Callable[[Sequence[Key], ChainFilter], Awaitable[bool]]
#: Resources that are looked at to find that out.
_FEW = 4


async def beyond(
    type_: str, asked: Sequence[Filter], limit: tuple[Filter, ...], all_hold: AllHold
) -> tuple[Filter, ...]:
    """What a limit asks for that a query of that type does not keep by what it asks."""
    left = [await _left(type_, asked, one, all_hold) for one in limit]
    return tuple([filter_ for filters in left for filter_ in filters])


async def _left(
    type_: str, asked: Sequence[Filter], filter_: Filter, all_hold: AllHold
) -> tuple[Filter, ...]:
    """What is left to ask of one filter; of several ways to hold those that it may hold by."""
    if not isinstance(filter_, EitherFilter):
        return () if await _keeps(type_, asked, filter_, all_hold) else (filter_,)
    found: list[tuple[Filter, ...]] = []
    for filters in filter_.alternatives:
        left = await beyond(type_, asked, filters, all_hold)
        if not left:
            return ()
        if _contradicts(asked, left) or any(_wider(type_, one, left) for one in found):
            continue
        found = [*(one for one in found if not _wider(type_, left, one)), left]
    return found[0] if len(found) == 1 else (EitherFilter(tuple(found)),)


def _wider(type_: str, one: Sequence[Filter], other: Sequence[Filter]) -> bool:
    """Whether what holds for those of ``other`` holds for those of ``one``."""
    match one:
        case [ReferenceFilter(negate=False) as wide]:
            return any(_within(type_, narrow, wide) for narrow in _references(other))
        case _:
            return one == other


def _contradicts(asked: Sequence[Filter], filters: Sequence[Filter]) -> bool:
    """Whether nothing can hold for all: a link is asked for that is asked not to be there."""
    absent = {one.param for one in asked if isinstance(one, MissingFilter) and one.missing}
    return any(
        isinstance(one, ChainFilter) and one.param in absent
        for filter_ in filters
        for one in parts_of(filter_)
    )


async def _keeps(type_: str, asked: Sequence[Filter], filter_: Filter, all_hold: AllHold) -> bool:
    match filter_:
        case ReferenceFilter(negate=False):
            return any(_within(type_, one, filter_) for one in _references(asked))
        case ChainFilter(filters=filters) if not any(map(leads_on, filters)):
            # What is hidden takes no further look than what is not there.
            for one in _references(asked):
                if one.param != filter_.param or not 0 < len(one.matches) <= _FEW:
                    continue
                keys = [Key(match.type, match.id) for match in one.matches]
                named = all(key.type in filter_.types for key in keys)
                if named and await all_hold(keys, filter_):
                    return True
            return False
        case _:
            return filter_ in asked


def _references(asked: Iterable[Filter]) -> Iterable[ReferenceFilter]:
    return (one for one in asked if isinstance(one, ReferenceFilter) and not one.negate)


def _within(type_: str, one: ReferenceFilter, other: ReferenceFilter) -> bool:
    """Whether whatever matches one matches the other."""
    return set(one.matches) <= set(other.matches) and (
        one.param == other.param or _parts(type_, one.param) <= _parts(type_, other.param)
    )


@cache
def _parts(type_: str, code: str) -> frozenset[str]:
    """What the expression of a parameter is a union of, as far as it is about that type."""
    parameter = search_parameters(type_).get(code)
    if parameter is None:
        # One of a store's own tells nothing of others.
        return frozenset({f"?{code}"})
    expression = parameter.expression
    parts = (part.strip() for part in expression.split("|"))
    of_type = frozenset(part for part in parts if part.startswith(f"{type_}."))
    return of_type or frozenset({expression})
