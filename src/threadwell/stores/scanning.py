"""Everything that a query matches, however much it is and whoever writes meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Reading, Stored

#: How many matches are read at once, and of how many bytes together.
PAGE = 1000
_MOST = 32 * 1024 * 1024


async def scan(store: Reading, project: str, query: Query) -> AsyncGenerator[Stored, None]:
    """The matches one after the other, in the query's order, from where it goes on.

    Each page begins behind the last match of the one before. So what is there all the time, and
    stays where it is in that order, comes exactly once, also while others write and delete; what
    is written meanwhile comes where its place is still ahead. One that is moved ahead by an update
    comes again as it is then, one that is moved back may not come at all.
    """
    after = query.after
    while True:
        part = replace(query, count=PAGE, offset=0, after=after, most=_MOST)
        page = await store.search(project, part)
        for match in page.matches:
            yield match
        if not page.more:
            return
        after = page.last
