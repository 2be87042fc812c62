"""The pool of connections: made on first use, mended by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from weakref import WeakSet

import asyncpg

from threadwell.stores.contract import LONGEST, StoreSlow
from threadwell.stores.postgres.address import DatabaseAddress
from threadwell.stores.postgres.faults import FAULTS, attempts, away, on_a_node, store_error
from threadwell.stores.postgres.migrate import migrate
from threadwell.stores.postgres.moments import Moments
from threadwell.stores.postgres.named import name_all
from threadwell.stores.postgres.pool import Connection as Connection
from threadwell.stores.postgres.pool import Pool
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.indexing import know_all
from threadwell.stores.sql.keys import Form, Keys

T = TypeVar("T")

#: How long a read waits for a database that is away, in seconds.
PATIENCE = 5.0
_STATEMENTS = 500


class Database:
    """A pool of connections to a database with the present schema.

    For one event loop at a time: on another one it connects anew.
    """

    def __init__(self, address: DatabaseAddress) -> None:
        self.address = address
        self.moments = Moments()
        self._pool: Pool | None = None
        #: The same as ``keys``, once it has connected.
        self.known_keys: Keys | None = None
        #: Whether a join of arrays with a table has one plan: by its key, whatever the table holds.
        self.joining = False
        self._named: WeakSet[Connection] = WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()

    async def keys(self) -> Keys:
        """What makes the keys of the database's index."""
        await self.pool()
        assert self.known_keys is not None
        return self.known_keys

    async def pool(self) -> Pool:
        """The pool; the first call connects and brings the schema up to date."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # What belongs to a loop that has ended went with it.
            self._loop, self._pool, self._opening = loop, None, asyncio.Lock()
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await self._open()
        return self._pool

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What ``work`` returns, for work that only reads: it is done again if the connection
        breaks. Raises ``StoreError`` if the database stays away, ``StoreSlow`` if one of its
        statements takes longer than ``LONGEST``.
        """
        try:
            return await self._once(work)
        except FAULTS as fault:
            error = self._passing(fault)
        async for _ in attempts(PATIENCE):
            try:
                return await self._once(work)
            except FAULTS as fault:
                error = self._passing(fault)
        raise store_error("cannot read from", self.address.shown, error) from None

    async def _once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with (await self.pool()).acquire() as connection:
            try:
                return await work(connection)
            except TimeoutError as late:
                if late.errno is not None:  # the network's, not ours
                    raise
                shown = self.address.shown
                told = f"{shown} took longer than {LONGEST:.0f} s for a statement"
                raise StoreSlow(told) from None

    def _passing(self, fault: Exception) -> Exception:
        """What may be over at the next try; raises ``StoreError`` for anything else."""
        if not (away(fault) or on_a_node(fault)):
            raise store_error("cannot read from", self.address.shown, fault) from None
        return fault

    async def named(self, connection: Connection) -> bool:
        """Whether the connection knows the statements of ``named`` by their names: from now on, if
        it may.
        """
        if self.joining and connection not in self._named:
            await name_all(connection)
            self._named.add(connection)
        return self.joining

    async def close(self) -> None:
        """Let go of every connection."""
        if self.known_keys is not None:
            self.known_keys.forget()
        pool, self._pool = self._pool, None
        if pool is not None and self._loop is asyncio.get_running_loop():
            await pool.close()

    async def _open(self) -> Pool:
        address = self.address
        error: BaseException | None = None
        async for _ in attempts(PATIENCE):
            try:
                ready = await migrate(address)
                self.joining = not (address.pooler or ready.nodes)
                if self.known_keys is None:
                    self.known_keys = Keys(ready.secret, Bases(ready.bases), sheets=Form.ROWS)
                    know_all(self.known_keys, ready.parameters)
                settings = address.settings_on_nodes if ready.nodes else address.settings
                pool = Pool(partial(self._connected, settings), address.pool)
                await pool.open()
                return pool
            except FAULTS as fault:
                if not away(fault):
                    raise store_error("cannot open", address.shown, fault) from None
                error = fault
        assert error is not None
        raise store_error("cannot open", address.shown, error) from None

    async def _connected(self, settings: dict[str, str]) -> Connection:
        connection: Connection = await asyncpg.connect(
            self.address.dsn,
            command_timeout=LONGEST,
            statement_cache_size=0 if self.address.pooler else _STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings=settings,
        )
        # What lost its connections may have been put back to an earlier state meanwhile.
        self.moments.forget()
        return connection


def storable(*texts: str) -> bool:
    """Whether PostgreSQL can hold the texts: it has neither NUL nor half of a surrogate pair."""
    for text in texts:
        if "\0" in text:
            return False
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            return False
    return True
