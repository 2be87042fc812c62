"""Searches that take long go to a thread of their own, so that nobody else waits for them.

Nor do they go on for ever: one that is not answered in time is broken off, and one that would
have too many before it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import perf_counter, thread_time
from typing import TypeAlias, TypeVar

import apsw

from threadwell.stores.contract import LONGEST, Page, StoreBusy, StoreSlow
from threadwell.stores.sqlite.search import Searcher, Within

T = TypeVar("T")

#: How long a search may work on the event loop, and how long it may be held up there by others
#: that work meanwhile, in seconds.
PATIENCE, HELD_UP = 0.005, 0.05
#: How long a search counts as heavy after it was, in seconds; and how many are remembered.
KNOWN, _MOST_KNOWN = 60.0, 1000
#: Searches that wait for a thread at a time.
MAX_WAITING = 100
#: Steps of SQLite's machine between two looks at the clock.
_STEPS = 5000
_THREADS = 2

#: A search on some connection, within some limit.
Work: TypeAlias = Callable[[Searcher, Within], Page]


class Limit:
    """Until when a piece of work may go on; any thread may bring it forward."""

    __slots__ = ("_until",)

    def __init__(self, seconds: float) -> None:
        self._until = perf_counter() + seconds

    @property
    def is_over(self) -> bool:
        return perf_counter() > self._until

    def end(self) -> None:
        """It has to stop now."""
        self._until = float("-inf")


class LimitOnLoop(Limit):
    """The limit of a search on the event loop.

    While a heavy one holds Python's lock, a light one takes long by the clock and is none the
    heavier: what it works itself is counted, by the clock of its thread.
    """

    __slots__ = ("_worked",)

    def __init__(self) -> None:
        super().__init__(HELD_UP)
        self._worked = thread_time() + PATIENCE

    @property
    def is_over(self) -> bool:
        return thread_time() > self._worked or perf_counter() > self._until


class Known:
    """Searches that turned out to be heavy lately: to try them on the event loop again would hold
    others up for nothing, whenever many clients ask the same.
    """

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}

    def add(self, search: Hashable) -> None:
        """It was too much for the event loop."""
        if len(self._until) >= _MOST_KNOWN:
            self._until.clear()
        self._until[search] = perf_counter() + KNOWN

    def __contains__(self, search: Hashable) -> bool:
        if not self._until:
            return False
        until = self._until.get(search)
        if until is not None and until < perf_counter():
            del self._until[search]
            return False
        return until is not None


class Watch:
    """Interrupts the statements of a connection that go beyond a limit."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._limit: Limit | None = None
        connection.set_progress_handler(self._is_over, _STEPS)

    def within(self, limit: Limit, work: Callable[[], T]) -> T:
        """What ``work`` returns; raises ``apsw.InterruptError`` if it goes beyond the limit."""
        self._limit = limit
        try:
            return work()
        finally:
            self._limit = None

    def _is_over(self) -> bool:
        return self._limit is not None and self._limit.is_over


class Heavy:
    """A few threads, each search with a connection that no other uses meanwhile."""

    def __init__(self, connect: Callable[[], tuple[Searcher, Watch]]) -> None:
        self._connect = connect
        self._idle: SimpleQueue[tuple[Searcher, Watch]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(_THREADS, "threadwell-search")
        self._limits: set[Limit] = set()
        self.known = Known()

    async def search(self, work: Work) -> Page:
        """What ``work`` returns.

        Raises ``StoreSlow`` if it has not returned within ``LONGEST``, ``StoreBusy`` if too many
        others wait already.
        """
        if len(self._limits) >= _THREADS + MAX_WAITING:
            raise StoreBusy(f"{MAX_WAITING} searches wait already")
        limit = Limit(LONGEST)
        self._limits.add(limit)
        try:
            return await asyncio.wrap_future(self._threads.submit(self._run, work, limit))
        except apsw.InterruptError:
            raise StoreSlow(f"a search took longer than {LONGEST:.0f} s") from None
        finally:
            limit.end()
            self._limits.discard(limit)

    def close(self) -> None:
        """Stop the searches under way and let go of the connections."""
        for limit in self._limits:
            limit.end()
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get()[0].close()

    def _run(self, work: Work, limit: Limit) -> Page:
        if limit.is_over:
            raise apsw.InterruptError("its time was over before its turn came")
        try:
            searcher, watch = self._idle.get_nowait()
        except Empty:
            searcher, watch = self._connect()
        try:
            page = work(searcher, lambda search: watch.within(limit, search))
        except apsw.InterruptError:
            self._idle.put((searcher, watch))
            raise
        except BaseException:
            # Whatever it was may be the connection's own.
            searcher.close()
            raise
        self._idle.put((searcher, watch))
        return page
