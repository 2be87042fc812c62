"""Who is typing, in memory that the workers of a server share: told for seconds, stored nowhere."""

from __future__ import annotations

import mmap
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

#: Seconds for which somebody counts as typing who says so once.
SECONDS = 6
#: Threads in which somebody may be typing at once; of what is beyond nobody is told.
_ROWS = 4096
_PROBES = 16
#: Of a row: which thread, and until when its patient and the practice are typing.
_WIDTH = 3
_BYTES = 8


class Side(IntEnum):
    """Which of the two is typing."""

    PATIENT = 1
    PRACTICE = 2


class Typing:
    """Made before the workers are forked. Times are in milliseconds since 1970 UTC.

    Nothing is locked: where two workers take one row at the same instant, one of them is not told.
    """

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, _ROWS * _WIDTH * _BYTES)).cast("Q")

    def tell(self, thread: str, side: Side, now: int, seconds: int = SECONDS) -> None:
        """Somebody types in a thread; with 0 seconds they have stopped."""
        key, free = _key(thread), None
        for row in _rows(key):
            there = self._memory[row]
            if there == key:
                self._memory[row + side] = now + seconds * 1000
                return
            if free is None and max(self._memory[row + 1], self._memory[row + 2]) <= now:
                free = row
        if free is not None and seconds:
            self._memory[free] = key
            self._memory[free + Side.PATIENT] = self._memory[free + Side.PRACTICE] = 0
            self._memory[free + side] = now + seconds * 1000

    def is_typing(self, thread: str, side: Side, now: int) -> bool:
        """Whether somebody of that side types in a thread."""
        key = _key(thread)
        # A clock that was set back does not make anybody type for hours.
        return any(
            self._memory[row] == key and now < self._memory[row + side] <= now + SECONDS * 1000
            for row in _rows(key)
        )


def _rows(key: int) -> list[int]:
    return [(key + probe) % _ROWS * _WIDTH for probe in range(_PROBES)]


@lru_cache(maxsize=4096)
def _key(thread: str) -> int:
    # 0 is a row that nobody has.
    return int.from_bytes(blake2b(thread.encode(), digest_size=8).digest(), "big") or 1
