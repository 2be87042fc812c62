"""Answers a ``Query`` on one connection: ids and their order first, bodies after."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

import apsw

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import values_match
from threadwell.fhir.search.query import Filter, Query, Total
from threadwell.fhir.search.values import ReferenceValue
from threadwell.stores.contract import Key, Page, Stored
from threadwell.stores.including import included
from threadwell.stores.order import Candidate, in_order
from threadwell.stores.sql.condition import Compiler, Condition, Stream
from threadwell.stores.sql.keys import Keys, of_reference, scope
from threadwell.stores.sql.plan import (
    FEW,
    MANY,
    MERGED,
    Lead,
    Order,
    covers,
    leads,
    narrowed,
    natural_dates,
    order_of,
    shortest,
    widest,
)
from threadwell.stores.sql.quick import quick_lead
from threadwell.stores.sqlite.quick import quick_page
from threadwell.stores.sqlite.render import as_json, row_sql, streams_sql, text_sql
from threadwell.stores.sqlite.rows import COLUMNS, READ, fetch, row_to_stored

#: Does some work, or breaks it off by raising.
Within: TypeAlias = Callable[[Callable[[], Page]], Page]


def _freely(work: Callable[[], Page]) -> Page:
    return work()


class Searcher:
    """Searches one connection. Not for two threads at once."""

    def __init__(self, connection: apsw.Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._doubts: list[Filter] = []
        connection.create_scalar_function("holds", self._holds, 1)

    def page(self, project: str, pid: int, query: Query, within: Within = _freely) -> Page:
        """The answer to a query, all of it as of one moment.

        ``within`` may break the search off, but never what begins and ends the transaction: a
        moment that is held for good lets the write-ahead log grow without end.
        """
        connection = self._connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        # Of a later page, the bodies before it are better not looked for.
        if not query.offset and (lead := quick_lead(self._keys, project, query)):
            return within(lambda: quick_page(connection, query, lead))
        connection.execute("BEGIN")
        try:
            return within(lambda: _Search(self, project, pid, query).page())
        finally:
            # A disk that fails has ended it already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

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

    def rows(self, sql: str, params: Sequence[Any], doubts: list[Filter]) -> list[tuple[Any, ...]]:
        """Every row of a statement, whose ``holds`` asks for ``doubts``."""
        self._doubts = doubts
        return fetch(self._connection, sql, params)

    def each(self, sql: str, params: Sequence[Any], doubts: list[Filter]) -> Iterator[Any]:
        """The same row by row, for many with much in them: a limit holds between them, too."""
        self._doubts = doubts
        cursor = self._connection.cursor()
        try:
            yield from cursor.execute(sql, params)
        finally:
            cursor.close(force=True)

    def stored(self, rids: Iterable[int]) -> list[Stored]:
        """The current versions of the resources, in the order asked for."""
        rows = self._connection.executemany(
            f"SELECT {COLUMNS} FROM resource r WHERE r.rid = ?", ((rid,) for rid in rids)
        )
        return [row_to_stored(row) for row in rows]

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @property
    def keys(self) -> Keys:
        return self._keys

    def _holds(self, *body: Any) -> bool:
        values = extract(decode(body[0]))
        return all(values_match(doubt, values.get(doubt.param, ())) for doubt in self._doubts)  # type: ignore[union-attr]


class _Search:
    """One query on its way."""

    def __init__(self, searcher: Searcher, project: str, pid: int, query: Query) -> None:
        self._searcher = searcher
        self._project = project
        self._pid = pid
        self._query = query
        compiler = Compiler(searcher.keys, project, query.type, self)
        self.conditions = [compiler.condition(filter_) for filter_ in query.filters]
        self._natural = {
            position: self._filled(streams)
            for position, streams in natural_dates(query.type, self.conditions).items()
        }

    def page(self) -> Page:
        query = self._query
        total = None
        if query.total is not Total.NONE or query.summary_count:
            total = self._count()
        if query.summary_count:
            return Page([], [], total, more=False)
        rids = self._rids(query.offset, query.count + 1)
        matches = self._searcher.stored(rids[: query.count])
        more = len(rids) > query.count
        return Page(matches, included(query, matches, self), total, more=more)

    def exists(self) -> bool:
        return bool(self._rids(0, 1))

    def current(self, keys: Sequence[Key]) -> list[Stored]:
        found: list[Stored] = []
        for key in keys:
            rows = self._searcher.rows(READ, (key.id, key.type, self._pid), [])
            found.extend(stored for row in rows if not (stored := row_to_stored(row)).deleted)
        return found

    def referring(self, type_: str, param: str, keys: Sequence[Key], limit: int) -> list[Stored]:
        under = scope(self._project, type_, param)
        wanted = [self._searcher.keys.key(under + of_reference(*key)) for key in keys]
        rows = self._searcher.rows(
            "SELECT DISTINCT rid FROM posting WHERE key IN (SELECT value FROM json_each(?))"
            " ORDER BY rid LIMIT ?",
            (as_json(wanted), limit),
            [],
        )
        return self._searcher.stored(rid for (rid,) in rows)

    def ids(self, type_: str, filter_: Filter) -> list[str]:
        return [stored.id for stored in self._all(type_, filter_)]

    def referred_ids(self, type_: str, filter_: Filter, param: str, to: str) -> list[str]:
        return [
            value.id
            for stored in self._all(type_, filter_)
            for value in extract(decode(stored.body)).get(param, ())
            if isinstance(value, ReferenceValue) and value.type == to
        ]

    def _all(self, type_: str, filter_: Filter) -> list[Stored]:
        within = _Search(self._searcher, self._project, self._pid, Query(type_, (filter_,)))
        return self._searcher.stored(within._rids(0, -1))

    def _count(self) -> int:
        lead = self._lead(None)
        if lead.streams is not None and len(lead.streams) == 1 and lead.order is Order.NATURAL:
            stream = lead.streams[0]
            where, params, doubts, row = self._where(lead, "d.sort")
            join = " CROSS JOIN resource r ON r.rid = d.rid" if row else ""
            sql = f"SELECT count(*) FROM posting d{join} WHERE {_within('d')}{where}"
            params = [stream.key, stream.low, stream.high, *params]
        else:
            source, params = self._source(lead)
            where, more, doubts, _ = self._where(lead, "r.sort")
            sql = (
                f"SELECT count(*) FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid"
                f" WHERE 1{where}"
            )
            params += more
        return int(self._searcher.rows(sql, params, doubts)[0][0])

    def _rids(self, offset: int, count: int) -> list[int]:
        """A stretch of the matches in order; to the end where ``count`` is negative."""
        order, descending = order_of(self._query.type, self._query.sort)
        lead = self._lead(None if order is Order.OTHER else order)
        if order is Order.OTHER:
            return self._sorted(lead, offset, count)
        if lead.order is order and lead.streams is not None and len(lead.streams) <= MERGED:
            return self._walk(lead, descending, offset, count)
        source, params = self._source(lead)
        where, more, doubts, _ = self._where(lead, "r.sort")
        place = "r.sort" if order is Order.NATURAL else "r.updated"
        way = "DESC" if descending else "ASC"
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
        sql = (
            f"SELECT d.sort, d.rid FROM posting d{join} WHERE {_within('d')}{where}"
            f" ORDER BY d.sort {way}, d.rid {way} LIMIT ? OFFSET ?"
        )
        streams = lead.streams or ()
        if len(streams) == 1:
            bounds = [streams[0].key, streams[0].low, streams[0].high]
            rows = self._searcher.rows(sql, [*bounds, *params, count, offset], doubts)
            return [rid for _, rid in rows]
        end = -1 if count < 0 else offset + count
        lists = [
            self._searcher.rows(sql, [s.key, s.low, s.high, *params, end, 0], doubts)
            for s in streams
        ]
        merged = dict.fromkeys(rid for _, rid in heapq.merge(*lists, reverse=descending))
        return list(islice(merged, offset, None if end < 0 else end))

    def _sorted(self, lead: Lead, offset: int, count: int) -> list[int]:
        """Every match, put in order by its values: for orders that no list has."""
        source, params = self._source(lead)
        where, more, doubts, _ = self._where(lead, "r.sort")
        sql = (
            "SELECT r.rid, r.id, r.updated, r.body"
            f" FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid WHERE 1{where}"
        )
        candidates = [
            Candidate(rid, id_, updated, extract(decode(body)))
            for rid, id_, updated, body in self._searcher.each(sql, [*params, *more], doubts)
        ]
        ordered = in_order(self._query.type, candidates, self._query.sort)
        return [c.created for c in ordered[offset : None if count < 0 else offset + count]]

    def _lead(self, order: Order | None) -> Lead:
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
        sql = f"SELECT 1 FROM posting d WHERE {_within('d')} LIMIT 1"
        return bool(self._searcher.rows(sql, (stream.key, stream.low, stream.high), []))

    def _length(self, lead: Lead, limit: int) -> int:
        if lead.ids is not None:
            return len(lead.ids)
        if lead.streams is not None and len(lead.streams) <= MERGED:
            sql = f"SELECT count(*) FROM (SELECT 1 FROM posting d WHERE {_within('d')} LIMIT ?)"
            length = 0
            for s in lead.streams:
                bounds = (s.key, s.low, s.high, limit - length)
                length += self._searcher.rows(sql, bounds, [])[0][0]
                if length >= limit:
                    break
            return length
        source, params = self._source(lead)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM ({source}) LIMIT ?)"
        return int(self._searcher.rows(sql, [*params, limit], [])[0][0])

    def _source(self, lead: Lead) -> tuple[str, list[Any]]:
        """The resources of a lead, each once, as a statement that gives their ``rid``."""
        if lead.ids is not None:
            return (
                "SELECT rid FROM resource WHERE id IN (SELECT value FROM json_each(?))"
                " AND type = ? AND pid = ? AND NOT deleted",
                [as_json(lead.ids), self._query.type, self._pid],
            )
        if lead.text is not None:
            return text_sql(lead.text)
        return streams_sql(lead.streams or ())

    def _where(self, lead: Lead, place: str) -> tuple[str, list[Any], list[Filter], bool]:
        """What to ask of each resource of a lead: SQL, parameters, doubts, whether of its row."""
        asked: list[str] = []
        params: list[Any] = []
        doubts: list[Filter] = []
        row = False
        for position, condition in enumerate(self.conditions):
            if position in lead.led:
                if position not in lead.settled:
                    doubts.append(condition.filter)
                continue
            if condition.keys is not None:
                known = "NOT EXISTS" if condition.negate else "EXISTS"
                if len(condition.keys) <= MERGED:
                    marks = ", ".join("?" * len(condition.keys))
                    params += condition.keys
                else:
                    marks = "SELECT value FROM json_each(?)"
                    params.append(as_json(condition.keys))
                asked.append(
                    f"{known} (SELECT 1 FROM posting p WHERE p.key IN ({marks})"
                    f" AND p.sort = {place} AND p.rid = d.rid)"
                )
                row = row or place == "r.sort"
            elif position in self._natural:
                dates = self._natural[position]
                at = f"EXISTS (SELECT 1 FROM posting p WHERE p.key = ? AND p.sort = {place}"
                each = f"{place} BETWEEN ? AND ? AND {at} AND p.rid = d.rid)"
                asked.append(f"({' OR '.join([each] * len(dates)) or '0'})")
                params += [part for date in dates for part in (date.low, date.high, date.key)]
                row = row or place == "r.sort"
                if not all(date.exact for date in dates):
                    doubts.append(condition.filter)
                continue
            elif condition.row:
                question, more = row_sql(condition.row)
                asked.append(question)
                params += more
                row = True
            elif condition.exact and condition.text is not None:
                texts, more = text_sql(condition.text)
                asked.append(f"d.rid IN ({texts})")
                params += more
                continue
            else:
                doubts.append(condition.filter)
                continue
            if not condition.exact:
                doubts.append(condition.filter)
        where = "".join(f" AND {question}" for question in asked)
        if doubts:
            # CASE keeps SQLite from asking for the costly part first.
            where = f" AND CASE WHEN 1{where} THEN holds(r.body) ELSE 0 END"
            row = True
        return where, params, doubts, row


def _within(table: str) -> str:
    return f"{table}.key = ? AND {table}.sort >= ? AND {table}.sort <= ?"
