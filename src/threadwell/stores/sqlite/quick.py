"""The page of a search that is one statement: the entries of one lead, with their resources."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import apsw

from threadwell.fhir.search.query import Place, Query
from threadwell.stores.contract import Page, Stored
from threadwell.stores.sql.conditions import Stream
from threadwell.stores.sql.plan import Entry, Lead, Order, entry_of, order_of, start
from threadwell.stores.sqlite.rows import fetch_bounded

#: What differs between the matches of a query: they are of its type, and none is deleted.
_COLUMNS = "r.id, r.version_id, r.body, r.updated, r.author"


class Quick(NamedTuple):
    """A statement with its parameters, and where its rows (``_COLUMNS``) have what they are in
    order by: their natural time, or ``meta.lastUpdated``.
    """

    sql: str
    params: tuple[int, ...]
    at: int


def quick_statement(query: Query, lead: Lead) -> Quick:
    """What answers ``query``, of which ``lead`` is the ``quick_lead``."""
    streams = lead.streams or ()
    _, descending = order_of(query)
    if query.after is None:
        bounds = [part for s in streams for part in (s.key, s.low, s.high)]
        sql = _sql(len(streams), descending, False)
    else:
        bounds = going_on(streams, entry_of(query.after, lead.order), descending=descending)
        sql = _sql(len(streams), descending, True)
    # Between two milliseconds nothing was ever updated.
    params = (*bounds, query.count + 1) if streams else ()
    return Quick(sql, params, 5 if lead.order is Order.NATURAL else 3)


def quick_page(connection: apsw.Connection, query: Query, quick: Quick) -> Page:
    """The answer to ``query`` by its ``quick_statement``."""
    sql, params, at = quick
    if not params:
        return Page([], [], None, more=False)
    rows, more = fetch_bounded(connection, sql, params, query.most, body=2)
    if len(rows) > query.count:
        more = True
        rows.pop()
    if not rows:
        return Page([], [], None, more)
    if query.back:
        rows.reverse()
    # A named tuple's own constructor takes twice as long.
    make, type_ = tuple.__new__, query.type
    found = [make(Stored, (type_, i, v, u, False, b, a)) for i, v, b, u, a, _, _ in rows]
    first, last = rows[0], rows[-1]
    places = [Place((row[at],), row[6]) for row in rows] if query.placed else ()
    ends = Place((first[at],), first[6]), Place((last[at],), last[6])
    return Page(found, [], None, more, *ends, places)


def going_on(streams: Sequence[Stream], after: Entry, *, descending: bool) -> list[int]:
    """What ``within`` asks of the lists from an entry on: a key, an entry and a bound for each."""
    bounds: list[int] = []
    for stream in streams:
        end = stream.low if descending else stream.high
        bounds += (stream.key, *start(stream, after, descending=descending), end)
    return bounds


@cache
def within(*, descending: bool, going_on: bool) -> str:
    """A stretch of a list, from its beginning or going on, of the table ``posting d``."""
    if not going_on:
        return "d.key = ? AND d.sort >= ? AND d.sort <= ?"
    follows, ends = ("<", ">=") if descending else (">", "<=")
    return f"d.key = ? AND (d.sort, d.rid) {follows} (?, ?) AND d.sort {ends} ?"


@cache
def _sql(streams: int, descending: bool, going_on: bool) -> str:
    """A walk along so many lists, merged, as far as the page needs."""
    if not streams:
        return ""
    stretch = within(descending=descending, going_on=going_on)
    one = f"SELECT d.sort, d.rid FROM posting d WHERE {stretch}"
    way = "DESC" if descending else "ASC"
    if streams == 1:
        return (
            f"SELECT {_COLUMNS}, d.sort, d.rid"
            f" FROM posting d CROSS JOIN resource r ON r.rid = d.rid WHERE {stretch}"
            f" ORDER BY d.sort {way}, d.rid {way} LIMIT ?"
        )
    # What stands in two of the lists comes once: UNION merges them in order.
    merged = " UNION ".join([one] * streams)
    return (
        f"SELECT {_COLUMNS}, page.sort, page.rid"
        f" FROM ({merged} ORDER BY 1 {way}, 2 {way} LIMIT ?) page"
        f" CROSS JOIN resource r ON r.rid = page.rid ORDER BY page.sort {way}, page.rid {way}"
    )
