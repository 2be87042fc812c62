"""How many requests a client may send a minute, counted over all workers of a machine.

Each worker writes a table of its own in memory that all share and adds up what the others have.
"""

from __future__ import annotations

import mmap
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

_WINDOW = 60
#: Clients that one worker can tell apart within a minute; what is beyond goes uncounted.
_ROWS = 4096
_PROBES = 16
#: Of a row: which client, in which minute, how many requests.
_WIDTH = 3
_BYTES = 8


class Left(NamedTuple):
    """What a client has left in this minute, and the seconds until it is over."""

    requests: int
    seconds: int

    @property
    def header(self) -> bytes:
        """The value of ``RateLimit``, in the three parts that Medplum's client takes apart."""
        return b'"client";r=%d;t=%d' % (max(self.requests, 0), self.seconds)


class Tables:
    """The tables of all workers; made before they are forked."""

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._memory = memoryview(mmap.mmap(-1, workers * _ROWS * _WIDTH * _BYTES)).cast("Q")

    def of(self, worker: int) -> memoryview[int]:
        """The table that ``worker`` writes."""
        size = _ROWS * _WIDTH
        return self._memory[worker * size : (worker + 1) * size]


class Allowance:
    """Counts the requests of each client, for one worker; at most ``limit`` a minute in all."""

    def __init__(self, limit: int, tables: Tables | None = None, worker: int = 0) -> None:
        tables = tables or Tables()
        self._limit = limit
        self._mine = tables.of(worker)
        self._others = [tables.of(other) for other in range(tables.workers) if other != worker]

    def take(self, client: str, seconds: int) -> Left:
        """Count a request at that time (since 1970); below 0 it is one too many."""
        minute, into = divmod(seconds, _WINDOW)
        key = _key(client)
        row = _row(self._mine, key, minute, claim=True)
        used = 0
        if row is not None:
            used = self._mine[row + 2] = self._mine[row + 2] + 1
        for table in self._others:
            row = _row(table, key, minute, claim=False)
            used += 0 if row is None else table[row + 2]
        return Left(self._limit - used, _WINDOW - into)


@lru_cache(maxsize=4096)
def _key(client: str) -> int:
    return int.from_bytes(blake2b(client.encode(), digest_size=8).digest(), "big")


def _row(table: memoryview[int], key: int, minute: int, *, claim: bool) -> int | None:
    free = None
    for probe in range(_PROBES):
        at = (key + probe) % _ROWS * _WIDTH
        if table[at + 1] != minute:
            free = at if free is None else free
        elif table[at] == key:
            return at
    if claim and free is not None:
        table[free], table[free + 1], table[free + 2] = key, minute, 0
        return free
    return None
