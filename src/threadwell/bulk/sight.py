"""What the caller of an export sees, looked up anew for each step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from threadwell.access.holding import Seen, seen
from threadwell.access.limited import Limited
from threadwell.access.policy import Interaction
from threadwell.access.view import View
from threadwell.fhir.search.query import Filter, Query, ReferenceFilter, parts_of
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.stores.contract import Key, Stored


@dataclass(frozen=True, slots=True)
class Allowed:
    """The view of somebody, and what changes with whatever it hangs on (``Policies.mark``)."""

    view: View
    mark: str


#: What a client sees now, by its reference, its scopes about resources and the patient whom its
#: app is about; ``None`` where it may not log in any more.
Sees: TypeAlias = Callable[[str, tuple[str, ...], str], Awaitable[Allowed | None]]


async def shown(view: View, current: Stored, version: Stored) -> Stored | None:
    """An earlier version of a resource as a search shows it; ``None`` if it would not.

    What is hidden now was never. Of what is gone by now nobody can tell whether it would be hidden.
    """
    if not isinstance(view, Limited):
        return version
    if await view.see(current, Interaction.SEARCH) is None:
        return None
    return await view.see(version, Interaction.SEARCH)


class Links:
    """What the links of a resource lead to, through a view (``access.holding.Around``)."""

    def __init__(self, view: View, project: str, bases: frozenset[str]) -> None:
        self._view = view
        self._project = project
        self._bases = bases

    async def current(self, keys: Sequence[Key]) -> Mapping[Key, Seen]:
        """Those of the resources that are there."""
        found = await self._view.read_many(self._project, keys)
        return {key: seen(one, self._bases) for key, one in found.items() if not one.deleted}

    async def refers(self, type_: str, param: str, to: Seen, filter_: Filter) -> bool:
        """Whether a resource of that type that matches refers to one by that parameter."""
        refers = ReferenceFilter(param, (ReferenceMatch(to.type, to.id, ""),))
        query = Query(type_, (refers, *parts_of(filter_)), count=1)
        return bool((await self._view.search(self._project, query)).matches)
