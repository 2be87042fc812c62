"""Answers a ``Query`` on one connection: ids and their order first, bodies after."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from copy import copy
from itertools import islice
from typing import Any, TypeAlias

import apsw

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import Filter, Place, Query, Total, UriFilter, parts_of
from threadwell.fhir.search.within import is_inner
from threadwell.stores.contract import Page, Stored
from threadwell.stores.including import (
    Asked,
    Current,
    Named,
    Referring,
    Target,
    Versions,
    bounded,
    included,
    target_of,
)
from threadwell.stores.order import Candidate, ahead, in_order
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.conditions import Condition, Stream
from threadwell.stores.sql.doubts import SURE, Doubts
from threadwell.stores.sql.keys import Keys, every
from threadwell.stores.sql.links import NAMELESS, Referred, naming_keys, referring, referring_keys
from threadwell.stores.sql.plan import (
    FEW,
    MANY,
    MERGED,
    Entry,
    Lead,
    Order,
    covers,
    entry_of,
    leads,
    narrowed,
    natural_dates,
    order_of,
    place_of,
    shortest,
    widest,
)
from threadwell.stores.sql.quick import quick_lead
from threadwell.stores.sqlite.quick import Quick, going_on, quick_page, quick_statement, within
from threadwell.stores.sqlite.render import as_json, source_sql, where_sql
from threadwell.stores.sqlite.rows import COLUMNS, READ, READ_VERSION, fetch, row_to_stored

#: Does some work, or breaks it off by raising.
Within: TypeAlias = Callable[[Callable[[], Page]], Page]


#: What is to be asked of the resources of a lead, its parameters, what stays in doubt, and whether
#: it is asked of the row.
_Where: TypeAlias = tuple[str, list[Any], Doubts, bool]
#: What a searcher has learnt of a search, and what it has found on the way to it.
Learnt: TypeAlias = "tuple[_Search, dict[Hashable, Any]]"
#: Searches that are remembered at a time.
_MOST_REMEMBERED = 500

_STRETCH = within(descending=False, going_on=False)


def _freely(work: Callable[[], Page]) -> Page:
    return work()


class Searcher:
    """Searches one connection. Not for two threads at once."""

    def __init__(self, connection: apsw.Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._doubts = SURE
        self._remembered: dict[int, tuple[Query, int, _Search]] = {}
        self._found: tuple[int, dict[Hashable, Any]] = (0, {})
        connection.create_scalar_function("holds", self._holds, 2)

    def page(self, project: str, pid: int, query: Query, within: Within = _freely) -> Page:
        """The answer to a query, all of it as of one moment.

        ``within`` may break the search off, but never what begins and ends the transaction: a
        moment that is held for good lets the write-ahead log grow without end.
        """
        connection = self._connection
        quick = self.quick(project, query)
        if quick is not None:
            return within(lambda: self.quick_page(query, quick))
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("BEGIN")
        try:
            return within(lambda: self._search(project, pid, query).page())
        finally:
            # A disk that fails has ended it already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def quick(self, project: str, query: Query) -> Quick | None:
        """The statement that answers a query; ``None`` where more has to be asked."""
        place, derived = (self._keys, project), query.derived
        if derived is not None and place in derived:
            known: Quick | None = derived[place]
            return known
        quick = None
        # Of a later page, the bodies before it are better not looked for. What is contained is of
        # another type than what it is in.
        plain = not query.offset and not is_inner(query.type)
        if plain and (lead := quick_lead(self._keys, project, query)):
            quick = quick_statement(query, lead)
        if derived is not None:
            derived[place] = quick
        return quick

    def quick_page(self, query: Query, quick: Quick) -> Page:
        """The answer to a query by its one statement."""
        connection = self._connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return quick_page(connection, query, quick)

    def exists(self, project: str, pid: int, query: Query) -> bool:
        """Whether anything matches, within the transaction that is open."""
        return _Search(self, project, pid, query).exists()

    def conditions(self, project: str, pid: int, query: Query) -> list[Condition]:
        """The filters of a query in the terms of the index."""
        return _Search(self, project, pid, query).conditions

    def plan(self, project: str, pid: int, query: Query) -> list[str]:
        """SQLite's plan for the page, a line for each step: what tests and people look at."""
        lines: list[str] = []

        def explain(cursor: apsw.Cursor, sql: str, params: Any) -> bool:
            if sql.startswith("SELECT"):
                with_plan = cursor.connection.cursor()
                with_plan.exec_trace = None
                rows = with_plan.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                lines.extend(str(row[3]) for row in rows)
            return True

        self._connection.exec_trace = explain
        try:
            self.page(project, pid, query)
        finally:
            self._connection.exec_trace = None
        return lines

    def rows(self, sql: str, params: Sequence[Any], doubts: Doubts = SURE) -> list[tuple[Any, ...]]:
        """Every row of a statement, whose ``holds`` asks for ``doubts``."""
        self._doubts = doubts
        return fetch(self._connection, sql, params)

    def each(self, sql: str, params: Sequence[Any], doubts: Doubts) -> Iterator[Any]:
        """The same row by row, for many with much in them: a limit holds between them, too."""
        self._doubts = doubts
        cursor = self._connection.cursor()
        try:
            yield from cursor.execute(sql, params)
        finally:
            cursor.close(force=True)

    def stored(self, rids: Iterable[int], most: int | None = None) -> list[Stored]:
        """The current versions of the resources, in the order asked for, up to the one by which
        they reach ``most`` bytes.
        """
        cursor = self._connection.cursor()
        sql = f"SELECT {COLUMNS} FROM resource r WHERE r.rid = ?"
        try:
            rows = cursor.executemany(sql, ((rid,) for rid in rids))
            return bounded(map(row_to_stored, rows), most)
        finally:
            cursor.close(force=True)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @property
    def keys(self) -> Keys:
        return self._keys

    def _holds(self, *version: Any) -> bool:
        version_id, body = version
        return self._doubts.hold_of(version_id, body)

    def _search(self, project: str, pid: int, query: Query) -> _Search:
        """One that may have worked out already how to answer, within a transaction.

        What chains lead to and which lead is short hold while nothing is committed.
        """
        if query.derived is None:
            return _Search(self, project, pid, query)
        moment: int = self.rows("PRAGMA data_version", ())[0][0]
        known = self._remembered.get(id(query))
        if known is not None and known[0] is query and known[1] == moment and known[2].pid == pid:
            return known[2]
        if self._found[0] != moment or len(self._found[1]) >= _MOST_REMEMBERED:
            self._found = moment, {}
        search = _Search(self, project, pid, query, self._found[1])
        self._remember(query, moment, search)
        return search

    def _remember(self, query: Query, moment: int, search: _Search) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[id(query)] = (query, moment, search)

    def learnt(self, query: Query) -> Learnt | None:
        """How a query was answered, if that is remembered; for another searcher of the store."""
        known = self._remembered.get(id(query))
        return None if known is None or known[0] is not query else (known[2], self._found[1])

    def adopt(self, query: Query, learnt: Learnt, moment: int) -> None:
        """Know what another searcher has learnt, who saw what there is at that moment."""
        search, found = learnt
        if self._found[0] != moment:
            self._found = moment, {}
        self._found[1].update(found)
        self._remember(query, moment, search.for_another(self))


class _Search:
    """One query on its way."""

    def __init__(
        self,
        searcher: Searcher,
        project: str,
        pid: int,
        query: Query,
        found: dict[Hashable, Any] | None = None,
    ) -> None:
        self._searcher = searcher
        self._project = project
        self.pid = self._pid = pid
        self._query = query
        #: What is found on the way, for others too; ``None`` where nothing is remembered.
        self._found = found
        self._leads: dict[Order | None, Lead] | None = None if found is None else {}
        self._known: dict[tuple[int, str], _Where] = {}
        compiler = Compiler(searcher.keys, project, query.type, self)
        self.conditions = [compiler.condition(filter_) for filter_ in query.filters]
        self._natural = {
            position: self._filled(streams)
            for position, streams in natural_dates(query.type, self.conditions).items()
        }

    def for_another(self, searcher: Searcher) -> _Search:
        """The same on the connection of another searcher."""
        search = copy(self)
        search._searcher = searcher
        return search

    def page(self) -> Page:
        query = self._query
        total = None
        if query.total is not Total.NONE or query.summary_count:
            total = self._count()
        if query.summary_count:
            return Page([], [], total, more=False)
        rids = self._rids(query.offset, query.count + 1)
        matches = self._searcher.stored(rids[: query.count], query.most)
        shown = rids[: len(matches)]
        if query.back:
            shown.reverse()
            matches.reverse()
        if query.placed:
            places = [self._place(rid, match) for rid, match in zip(shown, matches, strict=True)]
        else:
            places = [self._place(shown[at], matches[at]) for at in (0, -1)] if shown else []
        first, last = (places[0], places[-1]) if places else (None, None)
        found, cut = included(query, matches, self)
        more = len(rids) > len(matches)
        return Page(matches, found, total, more, first, last, places if query.placed else (), cut)

    def exists(self) -> bool:
        return bool(self._rids(0, 1))

    @property
    def bases(self) -> frozenset[str]:
        return self._searcher.keys.bases.own

    def answer(self, asked: Asked) -> list[Stored]:
        keys = self._searcher.keys
        ask, most = asked
        match ask:
            case Current(wanted):
                return self._read(READ, ((key.id, key.type, self._pid) for key in wanted), most)
            case Versions(versions):
                places = ((v.id, v.type, self._pid, v.version) for v in versions)
                return self._read(READ_VERSION, places, most)
            case Named(types, urls):
                return self._in_lists(naming_keys(keys, self._project, types, urls), -1, most)
            case Referring(limit=limit):
                return self._in_lists(referring_keys(keys, self._project, ask), limit, most)

    def targets(self, type_: str, filter_: Filter, *, named: bool) -> list[Target]:
        if self._found is None:
            return self._targets(type_, filter_, named=named)
        place = (self._pid, type_, filter_, named)
        known: list[Target] | None = self._found.get(place)
        if known is None:
            known = self._found[place] = self._targets(type_, filter_, named=named)
        return known

    def _targets(self, type_: str, filter_: Filter, *, named: bool) -> list[Target]:
        if named:
            return [target_of(stored) for stored in self._all(type_, filter_)]
        within = _Search(self._searcher, self._project, self._pid, Query(type_, parts_of(filter_)))
        sql = "SELECT id FROM resource WHERE rid IN (SELECT value FROM json_each(?))"
        rows = self._searcher.rows(sql, [as_json(within._rids(0, -1))])
        return [Target(type_, id_, NAMELESS) for (id_,) in rows]

    def containing(self, type_: str, filter_: Filter) -> list[str]:
        if not self._holds_any(Stream(self._searcher.keys.key(every(self._project, type_)))):
            return []
        return [stored.id for stored in self._all(type_, filter_)]

    def referred_ids(self, type_: str, filter_: Filter, param: str, to: str) -> list[str]:
        if self._found is None:
            return self._referred_ids(type_, filter_, param, to)
        place = (self._pid, type_, filter_, param, to)
        known: list[str] | None = self._found.get(place)
        if known is None:
            known = self._found[place] = self._referred_ids(type_, filter_, param, to)
        return known

    def _referred_ids(self, type_: str, filter_: Filter, param: str, to: str) -> list[str]:
        referred = Referred(param, to, self.bases)
        for stored in self._all(type_, referring(filter_, param)):
            referred.add(stored)
        if referred.urls:
            referred.add_named(self._all(to, UriFilter("url", tuple(referred.urls))))
        return list(referred.ids)

    def _read(self, sql: str, places: Iterable[tuple[Any, ...]], most: int | None) -> list[Stored]:
        rows = (row for place in places for row in self._searcher.rows(sql, place))
        found = (stored for row in rows if not (stored := row_to_stored(row)).deleted)
        return bounded(found, most)

    def _in_lists(self, keys: list[int], limit: int, most: int | None) -> list[Stored]:
        rows = self._searcher.rows(
            "SELECT DISTINCT rid FROM posting WHERE key IN (SELECT value FROM json_each(?))"
            " ORDER BY rid LIMIT ?",
            (as_json(keys), limit),
        )
        return self._searcher.stored((rid for (rid,) in rows), most)

    def _all(self, type_: str, filter_: Filter) -> list[Stored]:
        within = _Search(self._searcher, self._project, self._pid, Query(type_, parts_of(filter_)))
        return self._searcher.stored(within._rids(0, -1))

    def _place(self, rid: int, match: Stored) -> Place:
        order, _ = order_of(self._query)
        if order is Order.OTHER:
            values = extract(decode(match.body), self.bases)
            candidate = Candidate(rid, match.id, match.updated, values)
            return candidate.place(self._query.type, self._query.sort)
        rows = self._searcher.rows("SELECT sort FROM resource WHERE rid = ?", (rid,))
        sort = rows[0][0] if order is Order.NATURAL else match.updated * 1000
        return place_of(Entry(sort, rid), order)

    def _count(self) -> int:
        lead = self._lead(None)
        if lead.streams is not None and len(lead.streams) == 1 and lead.order is Order.NATURAL:
            stream = lead.streams[0]
            where, params, doubts, row = self._where(lead, "d.sort")
            join = " CROSS JOIN resource r ON r.rid = d.rid" if row else ""
            sql = f"SELECT count(*) FROM posting d{join} WHERE {_STRETCH}{where}"
            params = [stream.key, stream.low, stream.high, *params]
        else:
            source, params = source_sql(self._query.type, self._pid, lead)
            where, more, doubts, _ = self._where(lead, "r.sort")
            sql = (
                f"SELECT count(*) FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid"
                f" WHERE 1{where}"
            )
            params += more
        return int(self._searcher.rows(sql, params, doubts)[0][0])

    def _rids(self, offset: int, count: int) -> list[int]:
        """A stretch of what is ahead, the nearest first; to the end where ``count`` is negative."""
        order, descending = order_of(self._query)
        lead = self._lead(None if order is Order.OTHER else order)
        if order is Order.OTHER:
            return self._sorted(lead, offset, count)
        if lead.order is order and lead.streams is not None and len(lead.streams) <= MERGED:
            return self._walk(lead, descending, offset, count)
        source, params = source_sql(self._query.type, self._pid, lead)
        where, more, doubts, _ = self._where(lead, "r.sort")
        place = "r.sort" if order is Order.NATURAL else "r.updated * 1000"
        way = "DESC" if descending else "ASC"
        if self._query.after is not None:
            where += f" AND ({place}, r.rid) {'<' if descending else '>'} (?, ?)"
            more += entry_of(self._query.after, order)
        sql = (
            f"SELECT r.rid FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid WHERE 1{where}"
            f" ORDER BY {place} {way}, r.rid {way} LIMIT ? OFFSET ?"
        )
        rows = self._searcher.rows(sql, [*params, *more, count, offset], doubts)
        return [rid for (rid,) in rows]

    def _walk(self, lead: Lead, descending: bool, offset: int, count: int) -> list[int]:
        """Along the lists of the lead, merged, as far as the page needs."""
        place = "d.sort" if lead.order is Order.NATURAL else "r.sort"
        where, params, doubts, row = self._where(lead, place)
        join = " CROSS JOIN resource r ON r.rid = d.rid" if row else ""
        way = "DESC" if descending else "ASC"
        after = self._query.after
        stretch = within(descending=descending, going_on=after is not None)
        sql = (
            f"SELECT d.sort, d.rid FROM posting d{join} WHERE {stretch}{where}"
            f" ORDER BY d.sort {way}, d.rid {way} LIMIT ? OFFSET ?"
        )
        streams = lead.streams or ()
        if after is None:
            bounds = [[s.key, s.low, s.high] for s in streams]
        else:
            entry = entry_of(after, lead.order)
            bounds = [going_on([s], entry, descending=descending) for s in streams]
        if len(streams) == 1:
            rows = self._searcher.rows(sql, [*bounds[0], *params, count, offset], doubts)
            return [rid for _, rid in rows]
        end = -1 if count < 0 else offset + count
        lists = [self._searcher.rows(sql, [*each, *params, end, 0], doubts) for each in bounds]
        merged = dict.fromkeys(rid for _, rid in heapq.merge(*lists, reverse=descending))
        return list(islice(merged, offset, None if end < 0 else end))

    def _sorted(self, lead: Lead, offset: int, count: int) -> list[int]:
        """Every match, put in order by its values: for orders that no list has."""
        source, params = source_sql(self._query.type, self._pid, lead)
        where, more, doubts, _ = self._where(lead, "r.sort")
        sql = (
            "SELECT r.rid, r.id, r.updated, r.body"
            f" FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid WHERE 1{where}"
        )
        candidates = [
            Candidate(rid, id_, updated, extract(decode(body), self.bases))
            for rid, id_, updated, body in self._searcher.each(sql, [*params, *more], doubts)
        ]
        ordered = ahead(in_order(self._query.type, candidates, self._query.sort), self._query)
        return [c.created for c, _ in ordered[offset : None if count < 0 else offset + count]]

    def _where(self, lead: Lead, place: str) -> _Where:
        learns = self._leads is not None
        known = self._known.get((id(lead), place)) if learns else None
        if known is None:
            where, params, doubts, row = where_sql(
                self.conditions, self._natural, lead, place, is_known=learns
            )
            doubtful = Doubts(self._query.type, tuple(doubts), self.bases, {} if learns else None)
            known = where, params, doubtful, row
            if learns:
                self._known[id(lead), place] = known
        # Who gets the parameters adds to them.
        return known[0], [*known[1]], known[2], known[3]

    def _lead(self, order: Order | None) -> Lead:
        if self._leads is None:
            return self._chosen(order)
        lead = self._leads.get(order)
        if lead is None:
            lead = self._leads[order] = self._chosen(order)
        return lead

    def _chosen(self, order: Order | None) -> Lead:
        possible: list[Lead] = []
        for each in leads(self._searcher.keys, self._project, self._query, self.conditions):
            one = narrowed(each, self._natural, self._filled)
            if covers(one, len(self.conditions), order):
                return one
            possible.append(one)
        for limit in (FEW, MANY):
            lengths: list[int] = []
            for one in possible:
                # No further than to the end of the shortest so far.
                lengths.append(self._length(one, min([limit, *lengths])))
            lead = shortest(possible, lengths, limit)
            if lead:
                return lead
        return widest(possible, order)

    def _filled(self, streams: Sequence[Stream]) -> tuple[Stream, ...]:
        """The streams that hold anything."""
        return tuple(stream for stream in streams if self._holds_any(stream))

    def _holds_any(self, stream: Stream) -> bool:
        sql = f"SELECT 1 FROM posting d WHERE {_STRETCH} LIMIT 1"
        return bool(self._searcher.rows(sql, (stream.key, stream.low, stream.high)))

    def _length(self, lead: Lead, limit: int) -> int:
        if lead.ids is not None:
            return len(lead.ids)
        if lead.streams is not None and len(lead.streams) <= MERGED:
            sql = f"SELECT count(*) FROM (SELECT 1 FROM posting d WHERE {_STRETCH} LIMIT ?)"
            length = 0
            for s in lead.streams:
                bounds = (s.key, s.low, s.high, limit - length)
                length += self._searcher.rows(sql, bounds)[0][0]
                if length >= limit:
                    break
            return length
        source, params = source_sql(self._query.type, self._pid, lead)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM ({source}) LIMIT ?)"
        return int(self._searcher.rows(sql, [*params, limit])[0][0])
