"""Memory that was needed for a while goes back to the system.

The C library keeps what Python has freed, for later. Of work that comes in heaps, as when the
records of a busy hour are chained, that is tens of megabytes that nobody asks for until the next.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from threadwell.stores.idle import Idle

#: What glibc's ``mallopt`` is asked to set (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: Bytes from which on a piece of memory is the system's, and goes back to it when it is freed; and
#: bytes at the end of the heap that are kept for later.
_LARGE, _KEPT = 256 * 1024, 1024 * 1024


def give_back(store: object = None) -> None:
    """Give back what is free, and what a store has at hand; nothing happens where the C library has
    no way to say so.
    """
    if isinstance(store, Idle):
        store.rest()
    trim = _trim()
    if trim is not None:
        trim(0)


def keep_little() -> None:
    """Have this process, and those that are forked from it, keep less of what is freed.

    Left to itself, glibc takes ever larger pieces from a heap in which they leave holes, and has a
    heap for each thread.
    """
    tune = _function("mallopt")
    if tune is not None:
        for what, value in (
            (_MMAP_THRESHOLD, _LARGE),
            (_TRIM_THRESHOLD, _KEPT),
            (_ARENA_MAX, 1),
        ):
            tune(what, value)


class Rest:
    """Gives back what is free (``give``) while nothing is under way, once in a while.

    It takes some milliseconds where there is much, so no request should wait for it.
    """

    def __init__(self, give: Callable[[], None], every: int = 10) -> None:
        self._give = give
        self._every = every
        self._looks = 0
        self._answered = 0.0

    def look(self, in_flight: int, answered: float) -> bool:
        """A second has gone by, in which so many requests have been answered since the process
        began; whether anything was given back.
        """
        self._looks += 1
        if in_flight or self._looks < self._every or answered == self._answered:
            return False
        self._looks, self._answered = 0, answered
        self._give()
        return True


@cache
def _trim() -> Callable[[int], int] | None:
    found: Callable[[int], int] | None = _function("malloc_trim")
    return found


def _function(name: str) -> Any:
    """A function of glibc that returns a number; ``None`` where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):  # musl
        return None
    found.restype = ctypes.c_int
    return found
