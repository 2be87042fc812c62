"""Answers a ``Query``: ids and their order first, bodies after.

A search that one lead covers is one statement. Any other takes a few: how long its leads are, the
matches, how many there are, what they include; they see the database as of one moment. Filters
that the index leaves in doubt are asked of each resource here, by the rules of
``fhir.search.match``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import (
    ChainFilter,
    CompartmentFilter,
    Filter,
    HasFilter,
    Place,
    Query,
    Total,
    UriFilter,
    parts_of,
    within,
)
from threadwell.fhir.search.values import IndexValues
from threadwell.fhir.search.within import inner_type, is_inner, looks_within, searched_values
from threadwell.stores.contract import Page, Stored
from threadwell.stores.including import Included, Target, bounded, including, target_of
from threadwell.stores.order import Candidate, ahead, in_order, keys_of
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.quick import NumberedProject, entry
from threadwell.stores.postgres.rows import COLUMNS
from threadwell.stores.postgres.rows import bounded as bounded_rows
from threadwell.stores.postgres.statement import Statement
from threadwell.stores.postgres.surroundings import answer, filled
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.conditions import Condition, Stream
from threadwell.stores.sql.doubts import Doubts
from threadwell.stores.sql.keys import Keys, every
from threadwell.stores.sql.links import Referred, referring
from threadwell.stores.sql.plan import (
    FEW,
    MANY,
    MERGED,
    Entry,
    Lead,
    Order,
    covering,
    entry_of,
    having,
    leads,
    narrowed,
    natural_dates,
    order_of,
    place_of,
    shortest,
    widest,
)

#: Resources that a search in doubt fetches at a time, and looks at before others have their turn.
_AT_ONCE = 200

_BY_RID = f"""
SELECT {COLUMNS}, k.n FROM unnest($2::bigint[]) WITH ORDINALITY AS k(rid, n)
CROSS JOIN LATERAL (SELECT * FROM resource r WHERE r.pid = $1 AND r.rid = k.rid LIMIT 1) r
ORDER BY k.n
"""
_BOUNDED_BY_RID = bounded_rows(_BY_RID, "$3::bigint", "n", order="ORDER BY n")


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
        total = None
        if query.total is not Total.NONE or query.summary_count:
            total = await search.count()
        if query.summary_count:
            return Page([], [], total, more=False)
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
        return Page(
            matches, included, total, more, first, last, places if query.placed else (), cut
        )

    def conditions(self, query: Query) -> list[Condition]:
        """The filters of a query without chains, in the terms of the index."""
        return _conditions(self._keys, self._numbered, query, _LookedUp())

    async def exists(self, query: Query) -> bool:
        """Whether anything matches."""
        return bool(await (await self._search(query)).matches(0, 1))

    async def _search(self, query: Query) -> _Search:
        found = _LookedUp()
        for filter_ in query.filters:
            await self._look_up(query.type, filter_, found)
        conditions = _conditions(self._keys, self._numbered, query, found)
        return _Search(self._connection, self._keys, self._numbered, query, conditions)

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


class _Search:
    """One query on its way."""

    def __init__(
        self,
        connection: Connection,
        keys: Keys,
        numbered: NumberedProject,
        query: Query,
        conditions: list[Condition],
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._numbered = numbered
        self._home = keys.bases.of(numbered.project)
        self._query = query
        self._conditions = conditions
        self._natural: dict[int, tuple[Stream, ...]] = {}

    async def count(self) -> int:
        """How many match."""
        if both := having(self._keys, self._numbered.project, self._query):
            number = "(SELECT count(*) FROM posting WHERE pid = $1 AND key = "
            sql = f"SELECT {number}$2) - {number}$3)"
            difference: int = await self._connection.fetchval(sql, self._numbered.pid, *both)
            return difference
        lead = await self._lead(None)
        statement = self._statement()
        statement.count(lead)
        if not statement.doubts:
            total: int = await self._connection.fetchval(statement.sql, *statement.params)
            return total
        statement = self._statement()
        statement.gather(lead, Order.NATURAL, descending=False)
        return sum([1 async for _ in self._checked(statement, descending=False)])

    async def matches(
        self, offset: int, count: int | None, most: int | None = None
    ) -> list[_Found]:
        """A stretch of what is ahead, the nearest first; to the end where ``count`` is ``None``.

        Those before them reach ``most`` bytes where the bodies of the last ones are left out.
        """
        order, descending = order_of(self._query)
        lead = await self._lead(None if order is Order.OTHER else order)
        statement = self._statement()
        end = None if count is None else offset + count
        if order is Order.OTHER:
            statement.gather(lead, Order.NATURAL, descending=False)
            return await self._sorted(statement, offset, count, most)
        after = self._query.after and entry_of(self._query.after, order)
        if lead.order is order and lead.streams is not None and len(lead.streams) <= MERGED:
            statement.walk(lead, descending=descending, most=end, after=after)
        else:
            statement.gather(lead, order, descending=descending, after=after)
        if not statement.doubts:
            statement.limit(count, offset)
            sql = statement.bodies(descending=descending, most=most)
            rows = await self._connection.fetch(sql, *statement.params)
            return [_Found(Stored(*row[:7]), place_of(entry(row), order)) for row in rows]
        found: list[_Found] = []
        left = most
        async for match in self._checked(statement, descending=descending):
            found.append(_Found(match.version, place_of(match.entry, order)))
            if end is not None and len(found) >= end:
                break
            if left is not None and len(found) > offset:
                if left <= 0:
                    break
                left -= len(match.version.body)
        return found[offset:]

    async def _sorted(
        self, statement: Statement, offset: int, count: int | None, most: int | None
    ) -> list[_Found]:
        """Every match, put in order by its values: for orders that no list has."""
        candidates = {
            m.entry.rid: Candidate(m.entry.rid, m.version.id, m.version.updated, m.values)
            async for m in self._checked(
                statement, descending=False, keys=keys_of(self._query.sort)
            )
        }
        ordered = in_order(self._query.type, candidates.values(), self._query.sort)
        coming = ahead(ordered, self._query)
        page = coming[offset : None if count is None else offset + count]
        rids = [candidate.created for candidate, _ in page]
        sql = _BY_RID if most is None else _BOUNDED_BY_RID
        limit = () if most is None else (most,)
        rows = await self._connection.fetch(sql, self._numbered.pid, rids, *limit)
        return [_Found(Stored(*row[:7]), place) for row, (_, place) in zip(rows, page, strict=True)]

    async def _checked(
        self, statement: Statement, *, descending: bool, keys: frozenset[str] = frozenset()
    ) -> AsyncIterator[_Match]:
        """The matches of a statement in its order, those that its doubts do not hold for left out.

        Each has its values of ``keys`` at least. No more is fetched than is asked for, and a
        little ahead.
        """
        sql = statement.bodies(descending=descending)
        bases = self._home
        doubts = Doubts(self._query.type, tuple(statement.doubts), bases)
        seen = 0
        async for row in self._connection.cursor(sql, *statement.params, prefetch=_AT_ONCE):
            version = Stored(*row[:7])
            values = self._values_if(doubts, version.body, keys)
            if values is not None:
                yield _Match(entry(row), version, values)
            seen += 1
            if seen % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _values_if(self, doubts: Doubts, body: bytes, keys: frozenset[str]) -> IndexValues | None:
        """The values of ``keys`` at least, if a resource is left no doubt of."""
        if not doubts.filters and not is_inner(doubts.type):
            return extract(decode(body), doubts.bases, keys) if keys else {}
        resource = decode(body)
        for values in searched_values(doubts.type, resource, doubts.bases):
            if doubts.hold_for(values, resource):
                return values
        return None

    async def _lead(self, order: Order | None) -> Lead:
        query, conditions = self._query, self._conditions
        possible = list(leads(self._keys, self._numbered.project, query, conditions))
        dates = natural_dates(query.type, conditions)
        in_doubt = [s for lead in possible if lead.doubtful for s in lead.streams or ()]
        holding = await self._holding(
            [*in_doubt, *(s for streams in dates.values() for s in streams)]
        )

        def filled(streams: Sequence[Stream]) -> tuple[Stream, ...]:
            return tuple(stream for stream in streams if stream in holding)

        self._natural = {position: filled(streams) for position, streams in dates.items()}
        possible = [narrowed(lead, self._natural, filled) for lead in possible]
        lead = covering(possible, len(conditions), order)
        if lead is not None:
            return lead
        for limit in (FEW, MANY):
            statement = self._statement()
            statement.lengths(possible, limit)
            lengths = await self._connection.fetchrow(statement.sql, *statement.params)
            assert lengths is not None
            lead = shortest(possible, list(lengths.values()), limit)
            if lead is not None:
                return lead
        return widest(possible, order)

    async def _holding(self, streams: Sequence[Stream]) -> set[Stream]:
        """Those of the streams that hold anything."""
        if not streams:
            return set()
        rows = await self._connection.fetch(
            "SELECT s.n FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])"
            " WITH ORDINALITY AS s(key, low, high, n)"
            " WHERE EXISTS (SELECT FROM posting d WHERE d.pid = $1 AND d.key = s.key"
            " AND d.sort >= s.low AND d.sort <= s.high OFFSET 0)",
            self._numbered.pid,
            *zip(*((s.key, s.low, s.high) for s in streams), strict=True),
        )
        return {streams[row["n"] - 1] for row in rows}

    def _statement(self) -> Statement:
        return Statement(self._numbered.pid, self._query.type, self._conditions, self._natural)


@dataclass(frozen=True, slots=True)
class _Match:
    entry: Entry
    version: Stored
    values: IndexValues


class _Found(NamedTuple):
    version: Stored
    place: Place


def _conditions(
    keys: Keys, numbered: NumberedProject, query: Query, found: _LookedUp
) -> list[Condition]:
    compiler = Compiler(keys, numbered.project, query.type, found)
    return [compiler.condition(filter_) for filter_ in query.filters]
