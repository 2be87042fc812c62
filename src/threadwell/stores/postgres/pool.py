"""Connections for one statement or transaction at a time, and then for the next.

The driver's own pool makes a proxy, a task and a timer each time that a connection is lent: twice
the CPU of a short statement. Here a connection goes from hand to hand as it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import NamedTuple, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

#: How long a connection may wait to be lent before it is let go of, in seconds.
IDLE = 300.0
#: How long a connection may take to be fit again, or to be closed, in seconds.
_RESET = 10.0
#: With these, or with none, the driver has come to the end of what it was asked for.
_SETTLED = (asyncpg.PostgresError, type(None))
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class _Idle(NamedTuple):
    connection: Connection
    since: float


class Pool:
    """At most ``most`` connections. For one event loop; nothing is lent before ``open``.

    ``connect`` makes one, and what it raises is raised by who wants to borrow. What was lost is not
    lent. What was left within a transaction or a statement is rolled back before it is lent again,
    and given up where that fails.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], most: int) -> None:
        self._connect = connect
        self._most = most
        self._loop = asyncio.get_running_loop()
        #: How many there are, and are being made.
        self._size = 0
        # The last one that came back goes first: the others may rest.
        self._idle: list[_Idle] = []
        #: Each is told a connection, or ``None`` where it may make one.
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closing = False

    async def open(self) -> None:
        """Make the first connection."""
        async with self.acquire():
            pass

    def acquire(self) -> _Lent:
        """For ``async with``: a connection that nobody else has until the end.

        Raises ``asyncpg.InterfaceError`` once the pool is closed.
        """
        return _Lent(self)

    async def close(self) -> None:
        """Let go of all connections, of those that are lent when they come back."""
        self._closing = True
        if self._sweep is not None:
            self._sweep.cancel()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(asyncpg.InterfaceError("the pool is closed"))
        while self._idle or self._tasks or self._size:
            while self._idle:
                await self._close(self._idle.pop().connection)
            if self._tasks:
                await asyncio.wait(self._tasks)
            elif self._size and not self._idle:
                back: asyncio.Future[Connection | None] = self._loop.create_future()
                self._waiting.append(back)
                connection = await back
                if connection is not None:
                    await self._close(connection)

    async def take(self) -> Connection:
        """A connection that is there, or a new one, or the next that comes back."""
        while not self._closing:
            while self._idle:
                connection = self._idle.pop().connection
                if not connection.is_closed():
                    return connection
                self._size -= 1
            if self._size < self._most:
                self._size += 1
                try:
                    return await self._connect()
                except BaseException:
                    self._gone()
                    raise
            back: asyncio.Future[Connection | None] = self._loop.create_future()
            self._waiting.append(back)
            try:
                found = await back
            except asyncio.CancelledError:
                if back.done() and not back.cancelled() and back.exception() is None:
                    self._pass_on(back.result())
                raise
            if found is not None:
                return found
        raise asyncpg.InterfaceError("the pool is closed")

    async def give_back(self, connection: Connection, error: BaseException | None) -> None:
        """Take back a connection, whose work has ended with that error."""
        if connection.is_closed():
            # The way to the server may have ended without the driver's being done with it.
            connection.terminate()
            self._gone()
        elif connection.is_in_transaction() or not isinstance(error, _SETTLED):
            # Whoever is cancelled waits for that, and so does the end of the loop.
            await asyncio.shield(self._aside(self._reset(connection)))
        else:
            self._pass_on(connection)

    def _aside(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work, name="threadwell-connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _pass_on(self, connection: Connection | None) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(connection)
                return
        if connection is not None:
            self._idle.append(_Idle(connection, self._loop.time()))
            if self._sweep is None and not self._closing:
                self._sweep = self._loop.call_later(IDLE, self._let_go)

    def _gone(self) -> None:
        self._size -= 1
        self._pass_on(None)

    async def _reset(self, connection: Connection) -> None:
        fit = False
        try:
            with suppress(*_LOST):
                await connection.reset(timeout=_RESET)
                fit = True
        finally:
            if fit:
                self._pass_on(connection)
            else:
                connection.terminate()
                self._gone()

    def _let_go(self) -> None:
        """Close what nobody has wanted for long."""
        self._sweep = None
        before = self._loop.time() - IDLE
        # Those that have waited longest come first.
        while self._idle and self._idle[0].since <= before:
            self._aside(self._close(self._idle.pop(0).connection))
        if self._idle:
            later = self._idle[0].since + IDLE
            self._sweep = self._loop.call_at(later, self._let_go)

    async def _close(self, connection: Connection) -> None:
        try:
            with suppress(*_LOST):
                await connection.close(timeout=_RESET)
        finally:
            self._gone()


class _Lent:
    """One connection from the pool, from ``async with`` to its end."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, type_: object, error: BaseException | None, trace: object) -> None:
        await self._pool.give_back(self._connection, error)
