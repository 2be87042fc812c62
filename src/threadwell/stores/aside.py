"""Long work aside: others have their turn while something large is looked through.

A thread takes no less time for it, and gives way every few milliseconds; small work is quicker
done than handed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

#: Bytes of JSON beyond which work on them goes aside: some ten milliseconds; and beyond which it
#: waits for others of its size alone.
LARGE, HUGE = 64 * 1024, 2 * 1024 * 1024
#: Seconds that work in many small parts goes on at a time.
STRETCH = 0.01

_large = ThreadPoolExecutor(2, "threadwell-large")
_huge = ThreadPoolExecutor(1, "threadwell-huge")


async def aside(size: int, work: Callable[[], T]) -> T:
    """What ``work`` returns, or raises; ``size`` is that of what it works on, in bytes of JSON.

    It must touch nothing that others may change meanwhile.
    """
    if size < LARGE:
        return work()
    threads = _large if size < HUGE else _huge
    return await asyncio.get_running_loop().run_in_executor(threads, work)


class Pauses:
    """Turns for others between the many small parts of one long work on the event loop."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def pause(self) -> None:
        """Let others go first, if it is time to."""
        if perf_counter() - self._since > STRETCH:
            await asyncio.sleep(0)
            self._since = perf_counter()
