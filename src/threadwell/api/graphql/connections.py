"""A page of a search as a connection (FHIR R4 graphql.html#searching)."""

from __future__ import annotations

from typing import Any

from threadwell.api.graphql.fetching import Found
from threadwell.fhir.search.cursor import Cursor, write_cursor


def connection(found: Found, offset: int) -> dict[str, Any]:
    """The fields of a connection. ``next`` and ``previous`` are what ``_cursor`` takes."""
    query, page = found.query, found.page
    is_back = query.after is not None and query.back
    following = previous = None
    if page.last is not None and (page.more or is_back):
        following = write_cursor(Cursor(page.last))
    if page.first is not None and (page.more if is_back else query.after is not None):
        previous = write_cursor(Cursor(page.first, back=True))
    return {
        "count": page.total,
        "offset": offset,
        "pageSize": query.count,
        "next": following,
        "previous": previous,
        "edges": [{"mode": "match", "resource": one} for one in found.resources],
    }
