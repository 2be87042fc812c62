"""One query on its way: what leads to its matches, and these in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import MissingFilter, Place, Query
from threadwell.fhir.search.values import IndexValues
from threadwell.fhir.search.within import is_inner, searched_values
from threadwell.stores.contract import Stored
from threadwell.stores.order import Candidate, Placed, ahead, in_order, keys_of
from threadwell.stores.postgres.counting import Counting
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.quick import NumberedProject, entry
from threadwell.stores.postgres.rows import COLUMNS, text_of
from threadwell.stores.postgres.rows import bounded as bounded_rows
from threadwell.stores.postgres.sorted_statement import SortedStatement
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.conditions import Condition, Stream
from threadwell.stores.sql.counting import DOUBT, SAMPLE, Counted, estimate, estimates, most
from threadwell.stores.sql.doubts import Doubts
from threadwell.stores.sql.in_order import (
    Groups,
    SortedLists,
    Stage,
    after_number,
    begins,
    descends,
    is_worth_it,
    reach,
    sorted_lists,
    stages,
)
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.plan import (
    FEW,
    MANY,
    MERGED,
    Entry,
    Lead,
    Order,
    counted_lists,
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


class OneSearch:
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

    async def count(self) -> Counted:
        """How many match, as far as that can be told by a bounded look at the lists."""
        query = self._query
        counting = Counting(self._connection, self._keys, self._numbered, query.type)
        if both := having(self._keys, self._numbered.project, query):
            every, lacking = [await counting.length(key) for key in both]
            return Counted(every - lacking)
        lead = await self._lead(None)
        lists = counted_lists(lead, len(self._conditions))
        if lists is not None:
            return Counted(sum([await counting.length(key) for key in lists]))
        statement = self._statement()
        statement.count(lead)
        limit = most(query) // (DOUBT if statement.doubts else 1)
        bounded = self._statement()
        bounded.lengths([lead], limit + 1)
        entries: int = await self._connection.fetchval(bounded.sql, *bounded.params)
        if entries <= limit:
            return Counted(await self._matching(lead, None))
        if not estimates(query):
            return Counted(None)
        if lead.streams is not None and len(lead.streams) == 1 and lead.streams[0].whole:
            entries = await counting.length(lead.streams[0].key)
        matching = await self._matching(lead, SAMPLE)
        return Counted(estimate(matching, SAMPLE, entries), estimated=True)

    async def _matching(self, lead: Lead, sample: int | None) -> int:
        """How many resources of a lead match, or of so many of them."""
        statement = self._statement()
        statement.count(lead, sample)
        if not statement.doubts:
            total: int = await self._connection.fetchval(statement.sql, *statement.params)
            return total
        statement = self._statement()
        statement.gather(lead, Order.NATURAL, descending=False, sample=sample)
        return sum([1 async for _ in self._checked(statement, descending=False)])

    async def matches(self, offset: int, count: int | None, most: int | None = None) -> list[Match]:
        """A stretch of what is ahead, the nearest first; to the end where ``count`` is ``None``.

        Those before them reach ``most`` bytes where the bodies of the last ones are left out.
        """
        order, descending = order_of(self._query)
        lead = await self._lead(None if order is Order.OTHER else order)
        statement = self._statement()
        end = None if count is None else offset + count
        if order is Order.OTHER:
            return await self._sorted(lead, offset, count, most)
        after = self._query.after and entry_of(self._query.after, order)
        if lead.order is order and lead.streams is not None and len(lead.streams) <= MERGED:
            statement.walk(lead, descending=descending, most=end, after=after)
        else:
            statement.gather(lead, order, descending=descending, after=after)
        if not statement.doubts:
            statement.limit(count, offset)
            sql = statement.bodies(descending=descending, most=most)
            rows = await self._connection.fetch(sql, *statement.params)
            return [Match(Stored(*row[:7]), place_of(entry(row), order)) for row in rows]
        found: list[Match] = []
        left = most
        async for match in self._checked(statement, descending=descending):
            found.append(Match(match.version, place_of(match.entry, order)))
            if end is not None and len(found) >= end:
                break
            if left is not None and len(found) > offset:
                if left <= 0:
                    break
                left -= len(match.version.body)
        return found[offset:]

    async def _sorted(
        self, lead: Lead, offset: int, count: int | None, most: int | None
    ) -> list[Match]:
        """The matches put in order by their values: along the lists that have this order, or all
        of them.
        """
        lists = None
        if count is not None:
            lists = sorted_lists(self._keys, self._numbered.project, self._query)
        page = None
        if lists is not None and count is not None:
            statement = self._statement()
            statement.lengths([lead], MANY)
            length: int = await self._connection.fetchval(statement.sql, *statement.params)
            if is_worth_it(length):
                page = await self._along(lists, reach(length), offset + count)
        if page is None:
            page = await self._every(lead, None if count is None else offset + count)
        page = page[offset:]
        rids = [candidate.created for candidate, _ in page]
        sql = _BY_RID if most is None else _BOUNDED_BY_RID
        limit = () if most is None else (most,)
        rows = await self._connection.fetch(sql, self._numbered.pid, rids, *limit)
        return [Match(Stored(*row[:7]), place) for row, (_, place) in zip(rows, page, strict=True)]

    async def _every(self, lead: Lead, count: int | None) -> list[Placed]:
        """Every match read and put in order; so many of those ahead."""
        statement = self._statement()
        statement.gather(lead, Order.NATURAL, descending=False)
        candidates = {
            m.entry.rid: Candidate(m.entry.rid, m.version.id, m.version.updated, m.values)
            async for m in self._checked(
                statement, descending=False, keys=keys_of(self._query.sort)
            )
        }
        ordered = in_order(self._query.type, candidates.values(), self._query.sort)
        return [*ahead(ordered, self._query)][:count]

    async def _along(self, lists: SortedLists, most: int | None, count: int) -> list[Placed] | None:
        """So many matches along the lists; ``None`` where they are not there after ``most``."""
        found: list[Placed] = []
        for stage in stages(self._query):
            left = count - len(found)
            if stage is Stage.MISSING:
                found += await self._without(lists, left)
            else:
                walked = await self._walked(lists, most, left)
                if walked is None:
                    return None
                found += walked
        return found

    async def _walked(
        self, lists: SortedLists, most: int | None, count: int
    ) -> list[Placed] | None:
        """So many of those that have a value."""
        query = self._query
        down, start, end = descends(query), begins(query), None
        if most is not None:
            ends = []
            for key in lists.dates if lists.text is None else (lists.text,):
                behind = self._statement()
                behind.entry_behind(lists, key, most, descending=down, start=start)
                ends += await self._connection.fetch(behind.sql, *behind.params)
            if ends:
                end = tuple(sorted(map(tuple, ends), reverse=down)[0])
        statement = self._statement()
        statement.along(lists, descending=down, start=start, end=end)
        doubts = Doubts(query.type, tuple(statement.doubts), self._home)
        groups, found, keys = Groups(query), list[Placed](), keys_of(query.sort)
        if count <= 0:
            return found
        rows = self._connection.cursor(statement.sql, *statement.params, prefetch=_AT_ONCE)
        async for row in rows:
            version = Stored(*row[:7])
            values = self._values_if(doubts, version.body, keys)
            if values is not None:
                one = Candidate(row["rid"], version.id, version.updated, values)
                found += groups.met(text_of(row["at"]), one)
                if len(found) >= count:
                    return found[:count]
        found += groups.end()
        # Where the entries were not walked to their end, there may be others.
        return found[:count] if end is None or len(found) >= count else None

    async def _without(self, lists: SortedLists, count: int) -> list[Placed]:
        """So many matches without a value of what is sorted by."""
        if count <= 0:
            return []
        query, after = self._query, after_number(self._query)
        missing = MissingFilter(lists.param, missing=True)
        only = replace(
            query,
            filters=(*query.filters, missing),
            after=None if after is None else query.after,
        )
        compiler = Compiler(self._keys, self._numbered.project, query.type)
        conditions = [*self._conditions, compiler.condition(missing)]
        search = OneSearch(self._connection, self._keys, self._numbered, only, conditions)
        lead = await search._lead(None)
        if len(query.sort) > 1:
            return await search._every(lead, count)
        statement = search._statement()
        down = descends(query)
        statement.by_number(lead, descending=down, after=after)
        doubts = Doubts(query.type, tuple(statement.doubts), self._home)
        found: list[Placed] = []
        rows = self._connection.cursor(statement.sql, *statement.params, prefetch=_AT_ONCE)
        async for row in rows:
            version = Stored(*row[:7])
            if search._values_if(doubts, version.body, frozenset()) is not None:
                one = Candidate(row["rid"], version.id, version.updated, {})
                found.append((one, one.place(query.type, query.sort)))
                if len(found) >= count:
                    break
        return found

    async def _checked(
        self, statement: SortedStatement, *, descending: bool, keys: frozenset[str] = frozenset()
    ) -> AsyncIterator[_Checked]:
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
                yield _Checked(entry(row), version, values)
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

    def _statement(self) -> SortedStatement:
        return SortedStatement(
            self._numbered.pid, self._query.type, self._conditions, self._natural
        )


@dataclass(frozen=True, slots=True)
class _Checked:
    entry: Entry
    version: Stored
    values: IndexValues


class Match(NamedTuple):
    version: Stored
    place: Place
