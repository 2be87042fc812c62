"""Before the index is asked, whatever waits to go into it goes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import apsw

from threadwell.fhir.search.query import Query, Total
from threadwell.stores.contract import StoreError
from threadwell.stores.sql.condition import looks_up
from threadwell.stores.sqlite.database import as_usual, in_bulk
from threadwell.stores.sqlite.deferred import waits
from threadwell.stores.sqlite.search import Searcher
from threadwell.stores.sqlite.transaction import Transaction
from threadwell.stores.sqlite.writer import Writer


class Settling:
    """Looks by the connection that searches first, and settles by the one that writes."""

    def __init__(self, connection: apsw.Connection, searcher: Searcher, writer: Writer) -> None:
        self._connection = connection
        self._searcher = searcher
        self._writer = writer

    async def before(self, project: str, pid: int, query: Query) -> None:
        """Have in the index what a search may find, as far as it is committed."""
        if waits(self._connection) and not self._is_elsewhere(project, pid, query):
            await self.all()

    async def all(self) -> None:
        """Have everything in the index that is committed."""
        await self._writer.do(Transaction.settle)

    @asynccontextmanager
    async def in_bulk(self, writing: apsw.Connection) -> AsyncIterator[None]:
        """Meanwhile much is written by that connection, and may wait; at the end nothing does."""
        await self._writer.do(lambda _: in_bulk(writing))
        self._writer.expect(much=True)
        try:
            yield
        finally:
            self._writer.expect(much=False)
            # It has told those whose writes it could not take.
            with suppress(StoreError):
                await self.all()
            with suppress(StoreError):
                await self._writer.do(lambda _: as_usual(writing))

    def _is_elsewhere(self, project: str, pid: int, query: Query) -> bool:
        """Whether nothing of what waits can match, nor be counted or included.

        That is looked at where this process has much to write: it asks for people, and for circles
        that it has not written yet.
        """
        if not self._writer.is_in_bulk or query.total is not Total.NONE or query.summary_count:
            return False
        if query.includes or query.rev_includes or any(map(looks_up, query.filters)):
            return False
        wanted = self._searcher.wanted(project, pid, query)
        return any(not self._writer.lists.among(self._connection, keys) for keys in wanted)
