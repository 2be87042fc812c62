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
from typing import ParamSpec, TypeAlias, TypeVar

import apsw

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import LONGEST, Page, StoreBusy, StoreSlow
from threadwell.stores.sqlite.search import Searcher, Within

P = ParamSpec("P")
T = TypeVar("T")

#: How long a search may work on the event loop, and how long it may be held up there by others
#: that work meanwhile, in seconds.
PATIENCE, HELD_UP = 0.005, 0.05
#: The part of that for a search whose like was too much lately.
PART = 0.1
#: For how long a kind of search is known as heavy, in seconds; and how many are remembered.
KNOWN, _MOST_KNOWN = 60.0, 1000
#: Searches that wait for a thread at a time.
MAX_WAITING = 100
#: Steps of SQLite's machine between two looks at the clock: on the event loop, and in a thread.
STEPS_ON_LOOP, STEPS = 500, 5000
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


class LimitOfWork(Limit):
    """Until so many seconds were worked by this thread, however long others keep the machine busy;
    by the clock it is thirty times as long.
    """

    __slots__ = ("_at_last", "_worked")

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._worked = thread_time() + seconds
        self._at_last = self._until + 29 * seconds

    @property
    def is_over(self) -> bool:
        now = perf_counter()
        return now > self._until and (now > self._at_last or thread_time() > self._worked)


class LimitOnLoop(Limit):
    """The limit of one search after the other on the event loop.

    While a heavy one holds Python's lock, a light one takes long by the clock and is none the
    heavier: what it works itself is counted, by the clock of its thread. A clock costs, too: that
    of the thread is first looked at where half of the patience is over by the other one.
    """

    __slots__ = ("_half", "_has_begun", "_part", "_worked")

    def __init__(self) -> None:
        self.begin()

    def begin(self, part: float = 1.0) -> LimitOnLoop:
        """The same for the next search, which has that part of the time."""
        self._part = part
        self._has_begun = False
        return self

    @property
    def is_over(self) -> bool:
        now = perf_counter()
        if not self._has_begun:
            self._has_begun = True
            self._until = now + HELD_UP * self._part
            self._half = now + PATIENCE * self._part / 2
            self._worked = 0.0
            return False
        if now < self._half:
            return False
        if not self._worked:
            self._worked = thread_time() + PATIENCE * self._part / 2
        return now > self._until or thread_time() > self._worked


class Known:
    """Which kinds of searches were too much for the event loop lately.

    To try each of them for long would hold others up for nothing, where many clients ask alike.
    """

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}
        self._on_loop = LimitOnLoop()

    def limit(self, project: str, query: Query) -> Limit:
        """The limit of a search on the event loop, until the next one begins."""
        if self._until and self._until.get(_kind(project, query), 0.0) > perf_counter():
            return self._on_loop.begin(PART)
        return self._on_loop.begin()

    def add(self, project: str, query: Query) -> None:
        """It went beyond its limit."""
        kind, now = _kind(project, query), perf_counter()
        if self._until.get(kind, 0.0) > now:
            # It had less time than others: once that is over, it has all of it again.
            return
        if len(self._until) >= _MOST_KNOWN:
            self._until.clear()
        self._until[kind] = now + KNOWN


class Watch:
    """Interrupts the statements of a connection that go beyond a limit, looking every ``steps``."""

    def __init__(self, connection: apsw.Connection, steps: int) -> None:
        self._limit: Limit | None = None
        connection.set_progress_handler(self._is_over, steps)

    def within(self, limit: Limit, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``work`` returns; raises ``apsw.InterruptError`` if it goes beyond the limit."""
        self._limit = limit
        try:
            return work(*args, **kwargs)
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


def _kind(project: str, query: Query) -> Hashable:
    """What searches have in common that differ in nothing but what they look for."""
    filters = [(type(one), getattr(one, "param", "")) for one in query.filters]
    return project, query.type, tuple(filters), query.sort, query.total, query.summary_count
