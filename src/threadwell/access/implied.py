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
    ReferenceFilter,
)
from threadwell.stores.contract import Key

#: Whether all of some resources are there, and a filter holds for each.
AllHold = Callable[[Sequence[Key], ChainFilter], Awaitable[bool]]
#: Resources that are looked at to find that out.
_FEW = 4


async def beyond(
    type_: str, asked: Sequence[Filter], limit: tuple[Filter, ...], all_hold: AllHold
) -> tuple[Filter, ...]:
    """Those filters of a limit that a query of that type does not keep by what it asks."""
    left = [one for one in limit if not await _keeps(type_, asked, one, all_hold)]
    return tuple(left)


async def _keeps(type_: str, asked: Sequence[Filter], filter_: Filter, all_hold: AllHold) -> bool:
    match filter_:
        case EitherFilter(alternatives):
            for filters in alternatives:
                if not await beyond(type_, asked, filters, all_hold):
                    return True
            return False
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
    expression = search_parameters(type_)[code].expression
    parts = (part.strip() for part in expression.split("|"))
    of_type = frozenset(part for part in parts if part.startswith(f"{type_}."))
    return of_type or frozenset({expression})
