"""One query on its way: ids and their order first, bodies after."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable
from copy import copy
from dataclasses import replace
from itertools import islice
from typing import Any

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import (
    Filter,
    MissingFilter,
    Place,
    Query,
    Total,
    UriFilter,
    parts_of,
)
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
from threadwell.stores.order import Candidate, ahead, in_order, keys_of
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.conditions import Stream
from threadwell.stores.sql.counting import DOUBT, SAMPLE, Counted, estimate, estimates, most
from threadwell.stores.sql.found import Found, found
from threadwell.stores.sql.in_order import (
    SortedLists,
    Stage,
    after_number,
    descends,
    is_worth_it,
    reach,
    sorted_lists,
    stages,
)
from threadwell.stores.sql.keys import every
from threadwell.stores.sql.links import NAMELESS, Referred, naming_keys, referring, referring_keys
from threadwell.stores.sql.plan import (
    MANY,
    MERGED,
    Entry,
    Lead,
    Order,
    counted_lists,
    entry_of,
    having,
    order_of,
    place_of,
)
from threadwell.stores.sqlite.counting import Counting
from threadwell.stores.sqlite.leading import Leading, Where
from threadwell.stores.sqlite.quick import going_on, within
from threadwell.stores.sqlite.reader import Reader
from threadwell.stores.sqlite.render import as_json, source_sql
from threadwell.stores.sqlite.rows import READ, READ_VERSION, row_to_stored
from threadwell.stores.sqlite.sorted_walk import walked

#: Where nothing leads but the lists that are walked.
_UNLED = Lead(Order.OTHER)


class OneSearch(Leading):
    """One query on its way."""

    def __init__(
        self,
        reader: Reader,
        project: str,
        pid: int,
        query: Query,
        found: dict[Hashable, Any] | None = None,
    ) -> None:
        super().__init__(reader, project, pid, query, found)
        #: The page, where it is remembered.
        self.found: Found | None = None
        compiler = Compiler(reader.keys, project, query.type, self)
        self._compiled([compiler.condition(filter_) for filter_ in query.filters])

    def for_another(self, reader: Reader) -> OneSearch:
        """The same on the connection of another reader."""
        search = copy(self)
        search._reader = reader
        return search

    def page(self) -> Page:
        query = self._query
        total, estimated = None, False
        if query.total is not Total.NONE or query.summary_count:
            total, estimated = self._count()
        if query.summary_count:
            only = Page([], [], total, more=False, estimated=estimated)
            return self._remember(only, [])
        rids = self._rids(query.offset, query.count + 1)
        matches = self._reader.stored(rids[: query.count], query.most)
        shown = rids[: len(matches)]
        if query.back:
            shown.reverse()
            matches.reverse()
        if query.placed:
            places = [self._place(rid, match) for rid, match in zip(shown, matches, strict=True)]
        else:
            places = [self._place(shown[at], matches[at]) for at in (0, -1)] if shown else []
        first, last = (places[0], places[-1]) if places else (None, None)
        around, cut = included(query, matches, self)
        if estimated and total is not None:
            total = max(total, query.offset + len(matches))
        more = len(rids) > len(matches)
        shown_places = places if query.placed else ()
        page = Page(matches, around, total, more, first, last, shown_places, cut, estimated)
        return self._remember(page, shown)

    def _remember(self, page: Page, rids: list[int]) -> Page:
        if self._found is not None:
            self.found = found(self._query, page, rids)
        return page

    def exists(self) -> bool:
        return bool(self._rids(0, 1))

    def answer(self, asked: Asked) -> list[Stored]:
        keys = self._reader.keys
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
        within = OneSearch(self._reader, self._project, self._pid, Query(type_, parts_of(filter_)))
        sql = "SELECT id FROM resource WHERE rid IN (SELECT value FROM json_each(?))"
        rows = self._reader.rows(sql, [as_json(within._rids(0, -1))])
        return [Target(type_, id_, NAMELESS) for (id_,) in rows]

    def containing(self, type_: str, filter_: Filter) -> list[str]:
        if not self._holds_any(Stream(self._reader.keys.key(every(self._project, type_)))):
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
        rows = (row for place in places for row in self._reader.rows(sql, place))
        found = (stored for row in rows if not (stored := row_to_stored(row)).deleted)
        return bounded(found, most)

    def _in_lists(self, keys: list[int], limit: int, most: int | None) -> list[Stored]:
        rows = self._reader.rows(
            "SELECT DISTINCT rid FROM posting WHERE key IN (SELECT value FROM json_each(?))"
            " ORDER BY rid LIMIT ?",
            (as_json(keys), limit),
        )
        return self._reader.stored((rid for (rid,) in rows), most)

    def _all(self, type_: str, filter_: Filter) -> list[Stored]:
        within = OneSearch(self._reader, self._project, self._pid, Query(type_, parts_of(filter_)))
        return self._reader.stored(within._rids(0, -1))

    def _place(self, rid: int, match: Stored) -> Place:
        order, _ = order_of(self._query)
        if order is Order.OTHER:
            values = extract(decode(match.body), self.bases, keys_of(self._query.sort))
            candidate = Candidate(rid, match.id, match.updated, values)
            return candidate.place(self._query.type, self._query.sort)
        rows = self._reader.rows("SELECT sort FROM resource WHERE rid = ?", (rid,))
        sort = rows[0][0] if order is Order.NATURAL else match.updated * 1000
        return place_of(Entry(sort, rid), order)

    def _count(self) -> Counted:
        """How many match, as far as that can be told by a bounded look at the lists."""
        query = self._query
        counting = Counting(self._reader, self._project, self._pid, query.type)
        if both := having(self._reader.keys, self._project, query):
            every, lacking = map(counting.length, both)
            return Counted(every - lacking)
        lead = self._lead(None)
        lists = counted_lists(lead, len(self.conditions))
        if lists is not None:
            return Counted(sum(map(counting.length, lists)))
        where, more, doubts, row = self._where(lead, "r.sort")
        limit = most(query) // (DOUBT if doubts.filters else 1)
        entries = self._length(lead, limit + 1)
        source, params = source_sql(query.type, self._pid, lead)
        if entries <= limit:
            return Counted(self._matching(source, params, (where, more, doubts, row)))
        if not estimates(query):
            return Counted(None)
        if lead.streams is not None and len(lead.streams) == 1 and lead.streams[0].whole:
            entries = counting.length(lead.streams[0].key)
        sample = f"SELECT rid FROM ({source}) LIMIT {SAMPLE}"
        matching = self._matching(sample, params, (where, more, doubts, row))
        return Counted(estimate(matching, SAMPLE, entries), estimated=True)

    def _matching(self, source: str, params: list[Any], asked: Where) -> int:
        """How many of the resources of a source match."""
        where, more, doubts, row = asked
        join = " CROSS JOIN resource r ON r.rid = d.rid" if row else ""
        sql = f"SELECT count(*) FROM ({source}) d{join} WHERE 1{where}"
        return int(self._reader.rows(sql, [*params, *more], doubts)[0][0])

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
        rows = self._reader.rows(sql, [*params, *more, count, offset], doubts)
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
            rows = self._reader.rows(sql, [*bounds[0], *params, count, offset], doubts)
            return [rid for _, rid in rows]
        end = -1 if count < 0 else offset + count
        lists = [self._reader.rows(sql, [*each, *params, end, 0], doubts) for each in bounds]
        merged = dict.fromkeys(rid for _, rid in heapq.merge(*lists, reverse=descending))
        return list(islice(merged, offset, None if end < 0 else end))

    def _sorted(self, lead: Lead, offset: int, count: int) -> list[int]:
        """The matches put in order by their values: along the lists that have this order, or all
        of them.
        """
        lists = sorted_lists(self._reader.keys, self._project, self._query) if count >= 0 else None
        if lists is not None:
            length = self._length(lead, MANY)
            if is_worth_it(length):
                found = self._along(lists, reach(length), offset + count)
                if found is not None:
                    return found[offset:]
        return self._every(lead, offset, count)

    def _along(self, lists: SortedLists, most: int | None, count: int) -> list[int] | None:
        """So many matches along the lists; ``None`` where they are not there after ``most``."""
        query, found = self._query, list[int]()
        # Nothing leads but the lists, and so every filter is asked.
        where, more, doubts, _ = self._where(_UNLED, "r.sort")
        for stage in stages(query):
            if stage is Stage.MISSING:
                found += self._without(lists, count - len(found))
            else:
                rids = walked(self._reader, query, lists, (where, more, doubts), most)
                for rid in islice(rids, count - len(found)):
                    if rid is None:
                        return None
                    found.append(rid)
        return found

    def _without(self, lists: SortedLists, count: int) -> list[int]:
        """So many matches without a value of what is sorted by."""
        query = self._query
        filters = (*query.filters, MissingFilter(lists.param, missing=True))
        of_none = after_number(query)
        only = replace(query, filters=filters, after=None if of_none is None else query.after)
        search = OneSearch(self._reader, self._project, self._pid, only, self._found)
        lead = search._lead(None)
        if len(query.sort) > 1:
            return search._every(lead, 0, count)
        source, params = source_sql(query.type, self._pid, lead)
        where, more, doubts, _ = search._where(lead, "r.sort")
        down = descends(query)
        if of_none is not None:
            where += f" AND r.rid {'<' if down else '>'} ?"
            more.append(of_none)
        sql = (
            f"SELECT r.rid FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid WHERE 1{where}"
            f" ORDER BY r.rid {'DESC' if down else 'ASC'} LIMIT ?"
        )
        rows = self._reader.rows(sql, [*params, *more, count], doubts)
        return [rid for (rid,) in rows]

    def _every(self, lead: Lead, offset: int, count: int) -> list[int]:
        """Every match read, and put in order."""
        source, params = source_sql(self._query.type, self._pid, lead)
        where, more, doubts, _ = self._where(lead, "r.sort")
        sql = (
            "SELECT r.rid, r.id, r.updated, r.body"
            f" FROM ({source}) d CROSS JOIN resource r ON r.rid = d.rid WHERE 1{where}"
        )
        keys = keys_of(self._query.sort)
        candidates = [
            Candidate(rid, id_, updated, extract(decode(body), self.bases, keys))
            for rid, id_, updated, body in self._reader.each(sql, [*params, *more], doubts)
        ]
        ordered = ahead(in_order(self._query.type, candidates, self._query.sort), self._query)
        return [c.created for c, _ in ordered[offset : None if count < 0 else offset + count]]
