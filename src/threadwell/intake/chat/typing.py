"""Who is typing, in memory that the workers of a server share: told for seconds, stored nowhere."""

from __future__ import annotations

import mmap
from copy import copy
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

#: Seconds for which somebody counts as typing who says so once.
SECONDS = 6
#: Threads in which somebody may be typing at once; of what is beyond nobody is told.
_ROWS = 4096
_PROBES = 16
#: Of a row: which thread, and until when its patient and the practice are typing. The first row is
#: no thread's: its first cell changes whenever somebody tells something.
_WIDTH = 3
_BYTES = 8
_ROUND = 1 << 62


class Side(IntEnum):
    """Which of the two is typing."""

    PATIENT = 1
    PRACTICE = 2


class Typing:
    """Made before the workers are forked. Times are in milliseconds since 1970 UTC.

    Nothing is locked: where two workers take one row at the same instant, one of them is not told.
    """

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, (1 + _ROWS) * _WIDTH * _BYTES)).cast("Q")
        self._project = ""

    def of(self, project: str) -> Typing:
        """Those of one project, whose threads may be called as another's are."""
        mine = copy(self)
        mine._project = project
        return mine

    @property
    def told(self) -> int:
        """Another number after anything was told."""
        return self._memory[0]

    def tell(self, thread: str, side: Side, now: int, seconds: int = SECONDS) -> None:
        """Somebody types in a thread; with 0 seconds they have stopped."""
        row = self._row(_key(self._project, thread), now, claim=seconds > 0)
        if row is None:
            return
        self._memory[row + side] = now + seconds * 1000
        # Last: who sees that something was told sees what.
        self._memory[0] = (self._memory[0] + 1) % _ROUND

    def is_typing(self, thread: str, side: Side, now: int) -> bool:
        """Whether somebody of that side types in a thread."""
        key = _key(self._project, thread)
        # A clock that was set back does not make anybody type for hours.
        return any(
            self._memory[row] == key and now < self._memory[row + side] <= now + SECONDS * 1000
            for row in _rows(key)
        )

    def _row(self, key: int, now: int, *, claim: bool) -> int | None:
        free = None
        for row in _rows(key):
            if self._memory[row] == key:
                return row
            if free is None and max(self._memory[row + 1], self._memory[row + 2]) <= now:
                free = row
        if free is not None and claim:
            self._memory[free] = key
            self._memory[free + Side.PATIENT] = self._memory[free + Side.PRACTICE] = 0
            return free
        return None


def _rows(key: int) -> list[int]:
    return [(1 + (key + probe) % _ROWS) * _WIDTH for probe in range(_PROBES)]


@lru_cache(maxsize=4096)
def _key(project: str, thread: str) -> int:
    # 0 is a row that nobody has.
    name = f"{project}\n{thread}".encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big") or 1
