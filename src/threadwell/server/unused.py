"""Memory that was needed for a while goes back to the system.

The C library keeps what Python has freed, for later. Of work that comes in heaps, as when the
records of a busy hour are chained, that is tens of megabytes that nobody asks for until the next.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give back what is free; nothing happens where the C library has no way to say so."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's ``malloc_trim``."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # musl
        return None
    found.argtypes, found.restype = [ctypes.c_size_t], ctypes.c_int
    return found
