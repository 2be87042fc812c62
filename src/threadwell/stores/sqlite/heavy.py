"""Searches that take long go to a thread of their own, so that nobody else waits for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from time import perf_counter
from typing import TypeVar

import apsw

from threadwell.stores.sqlite.search import Searcher

T = TypeVar("T")

#: How long a search may hold the event loop, in seconds.
PATIENCE = 0.005
#: Steps of SQLite's machine between two looks at the clock.
_STEPS = 5000
_THREADS = 2


class Watch:
    """Interrupts a connection whose statements take longer than ``PATIENCE`` in all."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._until = float("inf")
        connection.set_progress_handler(lambda: perf_counter() > self._until, _STEPS)

    def within(self, work: Callable[[], T]) -> T:
        """What ``work`` returns; raises ``apsw.InterruptError`` if it takes too long."""
        self._until = perf_counter() + PATIENCE
        try:
            return work()
        finally:
            self._until = float("inf")


class Heavy:
    """A few threads, each search with a connection that no other uses meanwhile."""

    def __init__(self, connect: Callable[[], Searcher]) -> None:
        self._connect = connect
        self._idle: SimpleQueue[Searcher] = SimpleQueue()
        self.threads = ThreadPoolExecutor(_THREADS, "threadwell-search")

    def run(self, work: Callable[[Searcher], T]) -> T:
        """What ``work`` returns; called in one of ``threads``."""
        searcher = self._connect() if self._idle.empty() else self._idle.get()
        try:
            return work(searcher)
        finally:
            self._idle.put(searcher)

    def close(self) -> None:
        """Stop the searches under way and let go of the connections."""
        self.threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().close()
