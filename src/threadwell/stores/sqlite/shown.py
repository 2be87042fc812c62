"""Pages that were found, for whoever asks the same again before anything is committed.

Lists are asked for again and again, by pages that are kept fresh and by many who look at the same.
To see whether anything was committed costs a tenth of finding the page.
"""

from __future__ import annotations

import apsw

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Matches, Page
from threadwell.stores.sqlite.quick import Quick
from threadwell.stores.sqlite.rows import fetch

#: Bytes of all pages that are kept, of one of them at most, and of one with nothing on it.
_MOST, _LARGE, _EACH = 2 * 1024 * 1024, 64 * 1024, 1024
#: Once there is no more room, one page of so many is kept in place of others.
_ONE_IN = 16


class Shown:
    """The pages of one connection that only reads: others' commits are seen as they come."""

    def __init__(self) -> None:
        # The one that was asked for last stands last.
        self._pages: dict[int, tuple[Query, Quick, Page, int]] = {}
        self._moment = self._size = self._passed = 0
        self._is_full = False

    def of(self, connection: apsw.Connection, query: Query, quick: Quick) -> Page | None:
        """The page of a query by its statement, as of now; ``None`` where it is to be found."""
        known = self._pages.get(id(quick))
        if known is None or known[0] is not query or known[1] is not quick:
            return None
        fetch(connection, "PRAGMA data_version")
        if not self._holds(connection):
            return None
        self._pages[id(quick)] = self._pages.pop(id(quick))
        return known[2]

    def keep(self, connection: apsw.Connection, query: Query, quick: Quick, page: Page) -> Page:
        """Keep what was found just now; the page as it is to be shown."""
        if self._holds(connection) and self._is_full:
            # Where more is asked for than there is room, to keep each in turn would help nobody.
            self._passed = (self._passed + 1) % _ONE_IN
            if self._passed:
                return page
        size = _EACH + sum([len(match.body) for match in page.matches])
        if size > min(_LARGE, _MOST):
            return page
        if (was := self._pages.pop(id(quick), None)) is not None:
            self._size -= was[3]
        while self._size + size > _MOST:
            self._is_full = True
            self._size -= self._pages.pop(next(iter(self._pages)))[3]
        self._size += size
        kept = page._replace(matches=Matches(page.matches))
        self._pages[id(quick)] = query, quick, kept, size
        return kept

    def _holds(self, connection: apsw.Connection) -> bool:
        """Whether nothing was committed until SQLite last looked; else nothing is kept."""
        moment: int = connection.data_version()
        if moment == self._moment:
            return True
        self._pages.clear()
        self._moment, self._size, self._is_full = moment, 0, False
        return False
