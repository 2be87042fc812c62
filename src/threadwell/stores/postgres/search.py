"""Answers a ``Query``: ids and their order first, bodies after.

A search that one lead covers is one statement. Any other takes a few: how long its leads are, the
matches, how many there are, what they include; they see the database as of one moment. Filters
that the index leaves in doubt are asked of each resource here, by the rules of
``fhir.search.match``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from threadwell.fhir.search.query import (
    ChainFilter,
    CompartmentFilter,
    Filter,
    HasFilter,
    Query,
    Total,
    UriFilter,
    parts_of,
    within,
)
from threadwell.fhir.search.within import inner_type, looks_within
from threadwell.stores.contract import Page, Stored
from threadwell.stores.including import Included, Target, bounded, including, target_of
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.one_search import OneSearch
from threadwell.stores.postgres.quick import NumberedProject
from threadwell.stores.postgres.surroundings import answer, filled
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.conditions import Condition
from threadwell.stores.sql.keys import Keys, every
from threadwell.stores.sql.links import Referred, referring


class Searcher:
    """Searches on one connection, within the transaction that is open."""

    def __init__(self, connection: Connection, keys: Keys, numbered: NumberedProject) -> None:
        self._connection = connection
        self._keys = keys
        self._numbered = numbered
        #: The numbers of the matches of the last page.
        self.rids: list[int] = []
        self._home = keys.bases.of(numbered.project)

    async def page(self, query: Query) -> Page:
        """The answer to a query."""
        self.rids = []
        search = await self._search(query)
        total, estimated = None, False
        if query.total is not Total.NONE or query.summary_count:
            total, estimated = await search.count()
        if query.summary_count:
            return Page([], [], total, more=False, estimated=estimated)
        found = await search.matches(query.offset, query.count + 1, query.most)
        shown = found[: query.count]
        matches = bounded((match.version for match in shown), query.most)
        places = [match.place for match in shown[: len(matches)]]
        if query.back:
            matches.reverse()
            places.reverse()
        self.rids = [place.number for place in places]
        included, cut = await self._included(query, matches)
        first, last = (places[0], places[-1]) if places else (None, None)
        more = len(found) > len(matches)
        if estimated and total is not None:
            total = max(total, query.offset + len(matches))
        shown_places = places if query.placed else ()
        return Page(matches, included, total, more, first, last, shown_places, cut, estimated)

    def conditions(self, query: Query) -> list[Condition]:
        """The filters of a query without chains, in the terms of the index."""
        return _conditions(self._keys, self._numbered, query, _LookedUp())

    async def exists(self, query: Query) -> bool:
        """Whether anything matches."""
        return bool(await (await self._search(query)).matches(0, 1))

    async def _search(self, query: Query) -> OneSearch:
        found = _LookedUp()
        for filter_ in query.filters:
            await self._look_up(query.type, filter_, found)
        conditions = _conditions(self._keys, self._numbered, query, found)
        return OneSearch(self._connection, self._keys, self._numbered, query, conditions)

    async def _look_up(self, type_: str, filter_: Filter, found: _LookedUp) -> None:
        if isinstance(filter_, ChainFilter):
            for to, further in zip(filter_.types, filter_.filters, strict=True):
                found.by_filter[to, further] = await self._all(to, further)
            await self._look_within(type_, filter_, found)
        elif isinstance(filter_, CompartmentFilter) and filter_.ids:
            for link in filter_.links:
                found.by_filter[type_, link] = await self._all(type_, link)
        elif parts := within(filter_):
            for one in parts:
                await self._look_up(type_, one, found)
        elif isinstance(filter_, HasFilter):
            referred = Referred(filter_.param, type_, self._home)
            of_source = referring(filter_.filter, filter_.param)
            for match in await self._all(filter_.type, of_source):
                referred.add(match)
            if referred.urls:
                referred.add_named(await self._all(type_, UriFilter("url", tuple(referred.urls))))
            found.referred[type_, filter_] = list(referred.ids)

    async def _look_within(self, type_: str, chain: ChainFilter, found: _LookedUp) -> None:
        """Look for those that contain a match, where any contains one of such a type at all."""
        inner = {
            self._keys.key(every(self._numbered.project, within)): (within, further)
            for to, further in zip(chain.types, chain.filters, strict=True)
            if looks_within(further)
            for within in (inner_type(type_, chain.param, to),)
        }
        for key in await filled(self._connection, self._numbered.pid, list(inner)):
            found.by_filter[inner[key]] = await self._all(*inner[key])

    async def _all(self, type_: str, filter_: Filter) -> list[Stored]:
        search = await self._search(Query(type_, parts_of(filter_)))
        return [match.version for match in await search.matches(0, None)]

    async def _included(self, query: Query, matches: Sequence[Stored]) -> Included:
        walk = including(query, matches, self._home)
        project, pid = self._numbered.project, self._numbered.pid
        try:
            asked = next(walk)
            while True:
                found = await answer(self._connection, self._keys, project, pid, asked)
                asked = walk.send(found)
        except StopIteration as end:
            out: Included = end.value
            return out


@dataclass(slots=True)
class _LookedUp:
    """What chains lead to, looked up before the filters are compiled."""

    by_filter: dict[tuple[str, Filter], list[Stored]] = field(default_factory=dict)
    referred: dict[tuple[str, HasFilter], list[str]] = field(default_factory=dict)

    def targets(self, type_: str, filter_: Filter, *, named: bool) -> list[Target]:  # noqa: ARG002
        return [target_of(stored) for stored in self.by_filter[type_, filter_]]

    def containing(self, type_: str, filter_: Filter) -> list[str]:
        return [stored.id for stored in self.by_filter.get((type_, filter_), ())]

    def referred_ids(self, type_: str, filter_: Filter, param: str, to: str) -> list[str]:
        return self.referred[to, HasFilter(type_, param, filter_)]


def _conditions(
    keys: Keys, numbered: NumberedProject, query: Query, found: _LookedUp
) -> list[Condition]:
    compiler = Compiler(keys, numbered.project, query.type, found)
    return [compiler.condition(filter_) for filter_ in query.filters]
