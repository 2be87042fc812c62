"""The SQL of a search: a lead walked along the index, the other filters asked on the way.

The shape of each plan is in its text. ``LATERAL … LIMIT 1`` and ``OFFSET 0`` keep a look at one
place of an index what it is, so that the planner, which knows nothing of the values, never turns
a walk of twenty entries into a join of whole tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from threadwell.fhir.search.query import Filter
from threadwell.stores.postgres.database import storable
from threadwell.stores.postgres.moments import dated
from threadwell.stores.postgres.rows import COLUMNS, beginning, bounded, text_bytes
from threadwell.stores.sql.conditions import (
    Always,
    Condition,
    OneOf,
    Present,
    RowTest,
    Stream,
    TextScan,
    TextWay,
    UpdatedWithin,
)
from threadwell.stores.sql.plan import MERGED, Entry, Lead, Order, start

ROW = " CROSS JOIN LATERAL (SELECT * FROM resource r WHERE r.pid = $1 AND r.rid = d.rid LIMIT 1) r"

#: It names the project, as any statement does: a parameter that nothing is known of is refused.
_EMPTY = "SELECT sort, rid FROM posting WHERE pid = $1 AND false"


class Statement:
    """A statement in the making, with its parameters; the first is the number of the project."""

    def __init__(
        self,
        pid: int,
        type_: str,
        conditions: Sequence[Condition],
        natural: Mapping[int, tuple[Stream, ...]] = MappingProxyType({}),
    ) -> None:
        """``natural`` are the ``plan.natural_dates`` that hold anything."""
        self._type = type_
        self._conditions = conditions
        self._natural = natural
        self.sql = ""
        self.params: list[Any] = [pid]
        self.doubts: list[Filter] = []

    def walk(
        self, lead: Lead, *, descending: bool, most: int | None, after: Entry | None = None
    ) -> None:
        """``sort`` and ``rid`` of the matches in the order of the lead's lists, behind ``after``.

        No more than ``most`` are wanted, where that is known.
        """

        def within(stream: Stream) -> str:
            if after is None:
                return self._within(stream)
            return self._going_on(stream, after, descending=descending)

        streams = lead.streams or ()
        place = "d.sort" if lead.order is Order.NATURAL else "r.sort"
        way = "DESC" if descending else "ASC"
        where, row = self._where(lead, place)
        join = ROW if row else ""
        order = f"ORDER BY d.sort {way}, d.rid {way}"
        if len(streams) == 1:
            stretch = within(streams[0])
            self.sql = f"SELECT d.sort, d.rid FROM posting d{join} WHERE {stretch}{where} {order}"
            return
        # In order each, the lists are merged as they are read. Of lists of dates more than one
        # may hold a resource.
        only = ""
        if streams and most is not None and not where and not self.doubts:
            only = f" LIMIT {self.bind(most)}"
        lists = " UNION ALL ".join(
            f"(SELECT d.sort, d.rid FROM posting d WHERE {within(stream)} {order}{only})"
            for stream in streams
        )
        merged = f"SELECT DISTINCT sort, rid FROM ({lists or _EMPTY}) d {order}"
        self.sql = f"SELECT d.sort, d.rid FROM ({merged}) d{join} WHERE true{where} {order}"

    def gather(
        self,
        lead: Lead,
        order: Order,
        *,
        descending: bool,
        after: Entry | None = None,
        sample: int | None = None,
    ) -> None:
        """``sort`` and ``rid`` of the matches behind ``after``, gathered and put in order; of so
        many resources of the lead alone where it is a ``sample``.
        """
        source = self._sampled(lead, sample)
        where, _ = self._where(lead, "r.sort")
        place = "r.updated * 1000" if order is Order.UPDATED else "r.sort"
        way = "DESC" if descending else "ASC"
        if after is not None:
            where += f" AND ({place}, d.rid) {self._behind(after, descending=descending)}"
        self.sql = (
            f"SELECT {place} AS sort, d.rid FROM ({source}) d{ROW} WHERE true{where}"
            f" ORDER BY {place} {way}, d.rid {way}"
        )

    def count(self, lead: Lead, sample: int | None = None) -> None:
        """How many match; or how many of so many resources of the lead do."""
        if (
            sample is None
            and lead.streams is not None
            and len(lead.streams) == 1
            and lead.order is Order.NATURAL
        ):
            where, row = self._where(lead, "d.sort")
            within = self._within(lead.streams[0])
            join = ROW if row else ""
            self.sql = f"SELECT count(*) FROM posting d{join} WHERE {within}{where}"
            return
        source = self._sampled(lead, sample)
        where, row = self._where(lead, "r.sort")
        self.sql = f"SELECT count(*) FROM ({source}) d{ROW if row else ''} WHERE true{where}"

    def _sampled(self, lead: Lead, sample: int | None) -> str:
        if sample is None:
            return self.source(lead)
        streams = lead.streams
        if streams is None or len(streams) > MERGED:
            return f"SELECT rid FROM ({self.source(lead)}) s LIMIT {int(sample)}"
        # Nothing of a list is read beyond these: one that is in several may come twice.
        each = [
            f"(SELECT d.rid FROM posting d WHERE {self._within(one)} LIMIT {int(sample)})"
            for one in streams
        ]
        entries = " UNION ALL ".join(each) or "SELECT rid FROM posting WHERE false"
        return f"SELECT rid FROM ({entries}) s LIMIT {int(sample)}"

    def source(self, lead: Lead) -> str:
        """SQL for the ``rid`` of the resources of a lead, each once."""
        if lead.ids is not None:
            ids = self.bind(_storable(lead.ids))
            return (
                f"SELECT rid FROM resource WHERE pid = $1 AND id = ANY({ids}::text[])"
                f" AND type = {self.bind(self._type)} AND NOT deleted"
            )
        if lead.text is not None:
            return self._texts(lead.text)
        streams = lead.streams or ()
        if all(stream.whole for stream in streams):
            keys = self.bind([stream.key for stream in streams])
            return (
                f"SELECT DISTINCT rid FROM posting WHERE pid = $1 AND key = ANY({keys}::bigint[])"
            )
        if len(streams) > MERGED:
            # Three parameters: an id without its type has a list in every type there is.
            bounds = ", ".join(
                f"{self.bind(column)}::bigint[]"
                for column in zip(*((s.key, s.low, s.high) for s in streams), strict=True)
            )
            return (
                f"SELECT DISTINCT d.rid FROM unnest({bounds}) AS s(key, low, high)"
                " CROSS JOIN LATERAL (SELECT d.rid FROM posting d WHERE d.pid = $1"
                " AND d.key = s.key AND d.sort >= s.low AND d.sort <= s.high OFFSET 0) d"
            )
        lists = " UNION ALL ".join(
            f"(SELECT d.sort, d.rid FROM posting d WHERE {self._within(stream)})"
            for stream in streams
        )
        return f"SELECT DISTINCT rid FROM ({lists or _EMPTY}) d"

    def lengths(self, leads: Sequence[Lead], limit: int) -> None:
        """How many entries each lead has, counted up to a limit: one row."""
        most = self.bind(limit)
        counts: list[str] = []
        for lead in leads:
            if lead.streams is not None and len(lead.streams) <= MERGED:
                entries = " UNION ALL ".join(
                    f"(SELECT FROM posting d WHERE {self._within(stream)} LIMIT {most})"
                    for stream in lead.streams
                )
            else:
                entries = self.source(lead)
            entries = entries or _EMPTY
            counts.append(f"(SELECT count(*) FROM (SELECT FROM ({entries}) s LIMIT {most}) c)")
        self.sql = f"SELECT {', '.join(counts)}"

    def limit(self, count: int | None, offset: int) -> None:
        """Only a stretch of what the statement finds; to the end where ``count`` is ``None``."""
        self.sql += f" LIMIT {self.bind(count)} OFFSET {self.bind(offset)}"

    def bodies(self, *, descending: bool, most: int | None = None) -> str:
        """SQL for the versions that a walk or a gathering finds, in its order, with ``sort`` and
        ``rid``; ``rows.bounded`` by ``most`` bytes.
        """
        way = "DESC" if descending else "ASC"
        whole = f"SELECT {COLUMNS}, d.sort, d.rid FROM ({self.sql}) d{ROW}"
        if most is None:
            return f"{whole} ORDER BY d.sort {way}, d.rid {way}"
        order = f"ORDER BY sort {way}, rid {way}"
        return bounded(whole, f"{self.bind(most)}::bigint", "sort", "rid", order=order)

    def short_bodies(self, *, descending: bool, most: int | None) -> str:
        """The same, of resources of one type that are there: without what is alike in all, and
        without the body of one that has more than ``most`` bytes.
        """
        way = "DESC" if descending else "ASC"
        columns = short_columns(None if most is None else f"{self.bind(most)}::bigint")
        return f"SELECT {columns} FROM ({self.sql}) d{ROW} ORDER BY d.sort {way}, d.rid {way}"

    def dated(self, *, descending: bool, most: int | None) -> str:
        """``short_bodies`` with the moment of the answer (``moments.dated``)."""
        way = "DESC" if descending else "ASC"
        short = self.short_bodies(descending=descending, most=most)
        return dated(short, f"sort {way}", f"rid {way}")

    def bind(self, value: Any) -> str:
        """The place of a further parameter."""
        self.params.append(value)
        return f"${len(self.params)}"

    def _within(self, stream: Stream) -> str:
        at = f"d.pid = $1 AND d.key = {self.bind(stream.key)}"
        if stream.whole:
            return at
        return f"{at} AND d.sort >= {self.bind(stream.low)} AND d.sort <= {self.bind(stream.high)}"

    def _going_on(self, stream: Stream, after: Entry, *, descending: bool) -> str:
        at = f"d.pid = $1 AND d.key = {self.bind(stream.key)}"
        behind = self._behind(start(stream, after, descending=descending), descending=descending)
        end = f">= {self.bind(stream.low)}" if descending else f"<= {self.bind(stream.high)}"
        return f"{at} AND (d.sort, d.rid) {behind} AND d.sort {end}"

    def _behind(self, after: Entry, *, descending: bool) -> str:
        return f"{'<' if descending else '>'} ({self.bind(after.sort)}, {self.bind(after.rid)})"

    def _where(self, lead: Lead, place: str) -> tuple[str, bool]:
        """What to ask of each resource of a lead, and whether its row is needed for that."""
        asked: list[str] = []
        row = False
        for position, condition in enumerate(self._conditions):
            if position in lead.settled:
                continue
            if condition.is_either():
                asked.append(self._probed(condition, place))
                row = row or place == "r.sort" or condition.asks_row
                continue
            if position in lead.led:
                self.doubts.append(condition.filter)
                continue
            if condition.is_dear():
                self.doubts.append(condition.filter)
            elif condition.keys is not None:
                asked.append(self._listed(condition, place))
                row = row or place == "r.sort"
                if not condition.exact:
                    self.doubts.append(condition.filter)
            elif position in self._natural:
                dates = self._natural[position]
                asked.append(
                    f"({' OR '.join(self._date(date, place) for date in dates) or 'false'})"
                )
                row = row or place == "r.sort"
                if not all(date.exact for date in dates):
                    self.doubts.append(condition.filter)
            elif condition.row is not None:
                asked.append(self._row(condition.row))
                row = True
            elif condition.exact and condition.text is not None:
                # IS TRUE: a hashed list of its own, and no join.
                asked.append(f"(d.rid IN ({self._texts(condition.text)})) IS TRUE")
            else:
                self.doubts.append(condition.filter)
        return "".join(f" AND {question}" for question in asked), row

    def _probed(self, condition: Condition, place: str) -> str:
        """Whether a condition holds that can be ``probed``."""
        if condition.either is not None:
            alternatives = [
                " AND ".join([self._probed(one, place) for one in conditions]) or "true"
                for conditions in condition.either
            ]
            return f"({' OR '.join(f'({one})' for one in alternatives) or 'false'})"
        if condition.keys is not None:
            return self._listed(condition, place)
        assert condition.row is not None
        return self._row(condition.row)

    def _listed(self, condition: Condition, place: str) -> str:
        known = "NOT EXISTS" if condition.negate else "EXISTS"
        keys = self.bind(condition.keys)
        return (
            f"{known} (SELECT FROM posting p WHERE p.pid = $1 AND p.key = ANY({keys}::bigint[])"
            f" AND p.sort = {place} AND p.rid = d.rid OFFSET 0)"
        )

    def _date(self, date: Stream, place: str) -> str:
        return (
            f"{place} BETWEEN {self.bind(date.low)} AND {self.bind(date.high)}"
            f" AND EXISTS (SELECT FROM posting p WHERE p.pid = $1 AND p.key = {self.bind(date.key)}"
            f" AND p.sort = {place} AND p.rid = d.rid OFFSET 0)"
        )

    def _row(self, test: RowTest) -> str:
        match test:
            case Always(holds):
                return "true" if holds else "false"
            case Present(bit, missing):
                return f"r.present & {self.bind(bit)} {'=' if missing else '<>'} 0"
            case UpdatedWithin(stretches):
                within = [
                    f"r.updated * 1000 BETWEEN {self.bind(low)} AND {self.bind(high)}"
                    for low, high in stretches
                ]
                return f"({' OR '.join(within) or 'false'})"
            case OneOf(ids, negate):
                known = "<> ALL" if negate else "= ANY"
                return f"r.id {known} ({self.bind(_storable(ids))}::text[])"

    def _texts(self, scan: TextScan) -> str:
        under = f"SELECT DISTINCT rid FROM folded WHERE pid = $1 AND key = {self.bind(scan.key)}"
        if scan.way is TextWay.ALL:
            return under
        texts = [text_bytes(text) for text in scan.texts]
        match scan.way:
            case TextWay.STARTS:
                parts = [self._starting(text) for text in texts]
            case TextWay.CONTAINS:
                parts = [f"position({self.bind(text)}::bytea IN text) > 0" for text in texts]
            case _:
                parts = [
                    f"beginning = {self.bind(beginning(text))} AND text = {self.bind(text)}"
                    for text in texts
                ]
        return " UNION ".join(f"{under} AND {part}" for part in parts)

    def _starting(self, text: bytes) -> str:
        # No byte of UTF-8 is FF, so what starts with a text is below that text and it.
        indexed = beginning(text)
        within = f"beginning >= {self.bind(indexed)} AND beginning < {self.bind(_above(indexed))}"
        if indexed == text:
            return within
        return f"{within} AND substr(text, 1, {len(text)}) = {self.bind(text)}"


def short_columns(most: str | None) -> str:
    """What differs between resources of one type that are there, without the body of one that has
    more bytes than a parameter says.
    """
    body = "r.body"
    if most is not None:
        body = f"CASE WHEN octet_length(r.body) <= {most} THEN r.body END AS body"
    return f"r.id, r.version_id, r.updated, {body}, r.author, d.sort, d.rid"


def _storable(ids: Sequence[str]) -> list[str]:
    return [id_ for id_ in ids if storable(id_)]


def _above(text: bytes) -> bytes:
    return text + b"\xff"
