"""The page of a search that is one statement: the entries of one lead, with their resources."""

from __future__ import annotations

from functools import cache

import apsw

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page
from threadwell.stores.sql.plan import Lead, order_of
from threadwell.stores.sqlite.rows import COLUMNS, fetch, row_to_stored


def quick_page(connection: apsw.Connection, query: Query, lead: Lead) -> Page:
    """The answer to ``query``, of which ``lead`` is the ``quick_lead``."""
    streams = lead.streams or ()
    if not streams:
        # Between two milliseconds nothing was ever updated.
        return Page([], [], None, more=False)
    sql = _sql(len(streams), order_of(query.type, query.sort)[1])
    bounds = [part for s in streams for part in (s.key, s.low, s.high)]
    rows = fetch(connection, sql, (*bounds, query.count + 1))
    more = len(rows) > query.count
    return Page([row_to_stored(row) for row in rows[: query.count]], [], None, more=more)


@cache
def _sql(streams: int, descending: bool) -> str:
    """A walk along so many lists, merged, as far as the page needs."""
    one = "SELECT d.sort, d.rid FROM posting d WHERE d.key = ? AND d.sort >= ? AND d.sort <= ?"
    way = "DESC" if descending else "ASC"
    if streams == 1:
        return (
            f"SELECT {COLUMNS} FROM posting d CROSS JOIN resource r ON r.rid = d.rid"
            " WHERE d.key = ? AND d.sort >= ? AND d.sort <= ?"
            f" ORDER BY d.sort {way}, d.rid {way} LIMIT ?"
        )
    # What stands in two of the lists comes once: UNION merges them in order.
    merged = " UNION ".join([one] * streams)
    return (
        f"SELECT {COLUMNS} FROM ({merged} ORDER BY 1 {way}, 2 {way} LIMIT ?) page"
        f" CROSS JOIN resource r ON r.rid = page.rid ORDER BY page.sort {way}, page.rid {way}"
    )
