"""What leads to the matches of a query on SQLite, and what is asked on the way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.query import Query
from threadwell.stores.sql.conditions import Condition, Stream
from threadwell.stores.sql.doubts import Doubts
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
    shortest,
    widest,
)
from threadwell.stores.sqlite.quick import within
from threadwell.stores.sqlite.reader import Reader
from threadwell.stores.sqlite.render import source_sql, where_sql

#: What is to be asked of the resources of a lead, its parameters, what stays in doubt, and whether
#: it is asked of the row.
Where: TypeAlias = tuple[str, list[Any], Doubts, bool]
STRETCH = within(descending=False, going_on=False)


class Leading:
    """A query, its conditions, and the lists that hold its matches."""

    def __init__(
        self,
        reader: Reader,
        project: str,
        pid: int,
        query: Query,
        found: dict[Hashable, Any] | None,
    ) -> None:
        self._reader = reader
        self._project = project
        self.pid = self._pid = pid
        self._query = query
        #: What is found on the way, for others too; ``None`` where nothing is remembered.
        self._found = found
        self._leads: dict[Order | None, Lead] | None = None if found is None else {}
        self._known: dict[tuple[int, str], Where] = {}
        self.conditions: list[Condition] = []
        self._natural: dict[int, tuple[Stream, ...]] = {}

    @property
    def bases(self) -> Home:
        return self._reader.keys.bases.of(self._project)

    def _compiled(self, conditions: list[Condition]) -> None:
        """Take the filters of the query in the terms of the index."""
        self.conditions = conditions
        self._natural = {
            position: self._filled(streams)
            for position, streams in natural_dates(self._query.type, conditions).items()
        }

    def _where(self, lead: Lead, place: str) -> Where:
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
        for each in leads(self._reader.keys, self._project, self._query, self.conditions):
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
        sql = f"SELECT 1 FROM posting d WHERE {STRETCH} LIMIT 1"
        return bool(self._reader.rows(sql, (stream.key, stream.low, stream.high)))

    def _length(self, lead: Lead, limit: int) -> int:
        if lead.ids is not None:
            return len(lead.ids)
        if lead.streams is not None and len(lead.streams) <= MERGED:
            sql = f"SELECT count(*) FROM (SELECT 1 FROM posting d WHERE {STRETCH} LIMIT ?)"
            length = 0
            for s in lead.streams:
                bounds = (s.key, s.low, s.high, limit - length)
                length += self._reader.rows(sql, bounds)[0][0]
                if length >= limit:
                    break
            return length
        source, params = source_sql(self._query.type, self._pid, lead)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM ({source}) LIMIT ?)"
        return int(self._reader.rows(sql, [*params, limit])[0][0])
