"""Everything that a query matches, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Store, Stored

_PAGE = 1000


async def search_all(store: Store, project: str, query: Query) -> AsyncIterator[Stored]:
    """The matches one after the other, in the query's order.

    A match of a page that is being read may change meanwhile; none is handed out twice unless
    others before it go away.
    """
    offset = 0
    while True:
        page = await store.search(project, replace(query, count=_PAGE, offset=offset))
        for match in page.matches:
            yield match
        if not page.more:
            return
        offset += len(page.matches)


def chunks(values: Iterable[str], size: int = 200) -> list[list[str]]:
    """The values in lists of at most ``size``: as many as one query asks for at once."""
    every = list(values)
    return [every[at : at + size] for at in range(0, len(every), size)]
