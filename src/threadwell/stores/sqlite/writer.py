"""The one writer of a process: every change set that waits goes into the next commit.

Durability costs a wait for the disk, so waiting change sets share it (group commit). Rows are
written on the event loop's own thread, as each of SQLite's steps would else wait for Python's
lock, up to 5 ms a row while the loop is busy; only what is one long step runs in a thread: the
commit, which waits for the disk, and the entries of a sheet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import TypeAlias

import apsw

from threadwell.stores.contract import Conflict, StoreError, StoreSlow
from threadwell.stores.sql.indexing import Stale
from threadwell.stores.sql.prepare import Prepared
from threadwell.stores.sqlite import heavy
from threadwell.stores.sqlite.deferred import Lists
from threadwell.stores.sqlite.faults import store_error
from threadwell.stores.sqlite.heavy import Watch
from threadwell.stores.sqlite.search import Searcher
from threadwell.stores.sqlite.transaction import Transaction, Undone
from threadwell.stores.watching import Watcher

#: Writes in one commit, beyond which further change sets wait for the next; of a store that much
#: is written to.
_GROUP, _GROUP_IN_BULK = 4000, 60_000
#: Writes after which other tasks have their turn, and seconds.
_SLICE, _TURN = 100, 0.05
#: Where a commit takes longer, other processes have their turn before the next.
_SLOW = 0.05
#: How long to wait until another try to begin, in seconds: the shortest that uvloop waits at all.
_POLL = 0.001
#: How long to wait for another process that writes, in seconds.
_PATIENCE = 30.0

#: One thing to do within a transaction; what it raises is its own and spoils no other.
Work: TypeAlias = Callable[[Transaction], None]


class Writer:
    """Commits change sets durably, in the order of their arrival. For one event loop at a time."""

    def __init__(
        self, connection: apsw.Connection, searcher: Searcher, pid: Callable[[str], int]
    ) -> None:
        self._connection = connection
        self.lists = Lists()
        self._searcher = searcher
        self._watch = Watch(connection, heavy.STEPS)
        self._pid = pid
        self._waiting: deque[tuple[Work, int, asyncio.Future[None]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self.watcher: Watcher | None = None
        self._most = _GROUP
        #: Whether much is written: entries of sheets may wait.
        self.is_in_bulk = False
        self._thread = ThreadPoolExecutor(1, "threadwell-commit")
        connection.set_busy_timeout(0)

    async def commit(self, prepared: Prepared) -> None:
        """Durable when it returns; raises ``Conflict``, ``Stale`` or ``StoreError``, having written
        nothing.
        """
        await self.do(lambda transaction: transaction.apply(prepared), prepared.size)

    async def do(self, work: Work, size: int = 1) -> None:
        """Have ``work`` done in the next commit, and wait for it."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((work, size, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name="threadwell-writer")
        try:
            await future
        finally:
            # A refusal leads here by its traceback: led from here to it, both and what was to be
            # written would stay in memory until Python looks for cycles.
            del future

    def expect(self, *, much: bool) -> None:
        """Whether large change sets are to share commits."""
        self._most = _GROUP_IN_BULK if much else _GROUP
        self.is_in_bulk = much

    def rest(self) -> None:
        """Let go of the pages that are at hand, unless there is something to do."""
        is_running = self._running is not None and not self._running.done()
        if not is_running and not self._connection.in_transaction:
            self._connection.execute("PRAGMA shrink_memory")

    async def close(self) -> None:
        """Finish what waits."""
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
        self._thread.shutdown()

    async def _run(self) -> None:
        # Whatever is ready to write in this turn of the loop joins the first commit.
        await asyncio.sleep(0)
        while self._waiting:
            group: list[tuple[Work, int, asyncio.Future[None]]] = []
            self._fill(group)
            started = perf_counter()
            await self._commit_group(group)
            seconds = perf_counter() - started
            if self.watcher is not None:
                self.watcher.waiting(len(self._waiting))
                self.watcher.committed(len(group), seconds)
            if self._waiting and seconds > _SLOW:
                # Another process looks only now and then whether it can begin.
                await asyncio.sleep(2 * _POLL)

    def _fill(self, group: list[tuple[Work, int, asyncio.Future[None]]]) -> None:
        """Add what waits to a group, as far as there is room."""
        size = sum(size for _, size, _ in group)
        while self._waiting and size < self._most:
            group.append(self._waiting.popleft())
            size += group[-1][1]

    async def _commit_group(
        self, group: list[tuple[Work, int, asyncio.Future[None]]], *, alone: bool = False
    ) -> None:
        try:
            refused = await self._transact(group, alone=alone)
        except apsw.Error as error:
            if len(group) > 1:
                # One of them may be what SQLite cannot take: each has a commit of its own.
                for one in group:
                    await self._commit_group([one], alone=True)
                return
            _settle(group, {0: store_error("SQLite could not write", error)})
        except StoreError as error:
            _settle(group, dict.fromkeys(range(len(group)), error))
        except BaseException:
            _settle(group, dict.fromkeys(range(len(group)), StoreError("the store was stopped")))
            raise
        else:
            _settle(group, refused)

    async def _transact(
        self, group: list[tuple[Work, int, asyncio.Future[None]]], *, alone: bool
    ) -> dict[int, Exception]:
        """One transaction; the answer is what was refused, by position in the group."""
        refused: dict[int, Exception] = {}
        await self._begin()
        if not alone:
            # Another process may have been writing for long.
            self._fill(group)
        transaction = None
        try:
            transaction = Transaction(
                *(self._connection, self._searcher, self._watch, self._pid, self.lists),
                defers=self.is_in_bulk,
            )
            since, turn = 0, perf_counter()
            for position, (work, size, _) in enumerate(group):
                try:
                    await self._work(work, transaction)
                except (Conflict, Stale, StoreSlow) as refusal:
                    refused[position] = refusal
                since += size
                if since >= _SLICE or perf_counter() - turn > _TURN:
                    await self._flush(transaction)
                    await asyncio.sleep(0)
                    since, turn = 0, perf_counter()
            await self._flush(transaction)
            if transaction.has_sheets:
                await self._in_thread(transaction.keep)
            await self._in_thread(partial(self._connection.execute, "COMMIT"))
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            if transaction is not None:
                transaction.close()
        return refused

    async def _work(self, work: Work, transaction: Transaction) -> None:
        try:
            work(transaction)
        except Undone:
            await self._flush(transaction)
            await self._in_thread(transaction.enter)
            work(transaction)

    async def _flush(self, transaction: Transaction) -> None:
        for _ in transaction.flushing():
            await asyncio.sleep(0)

    async def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except apsw.BusyError:
                if loop.time() > deadline:
                    raise StoreError("another process has been writing for too long") from None
            await asyncio.sleep(_POLL)

    async def _in_thread(self, work: Callable[[], object]) -> None:
        done = self._thread.submit(work)
        try:
            await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            # The thread goes on; a connection has one user at a time.
            done.exception()
            raise


def _settle(
    group: list[tuple[Work, int, asyncio.Future[None]]], refused: dict[int, Exception]
) -> None:
    for position, (_, _, future) in enumerate(group):
        if future.done():
            continue
        if position in refused:
            # Its traceback leads to the group, and so back to it.
            future.set_exception(refused[position].with_traceback(None))
        else:
            future.set_result(None)
