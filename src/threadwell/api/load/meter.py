"""Counting, cheaply, and so that any process can tell the sum of all of them.

Each worker writes its own cells of an array in memory that all share, so no lock is needed and a
worker that is killed takes no count with it: its successor goes on in the same cells.
"""

from __future__ import annotations

import mmap
import os
import time
from bisect import bisect_left

from threadwell.api.load.families import (
    CELLS,
    COMMIT,
    CONNECTIONS,
    DURATION,
    ERRORS,
    GROUP,
    GROUPS,
    IN_FLIGHT,
    INTERACTIONS,
    PROCESS,
    READY,
    REFUSED,
    REQUESTS,
    RESTARTS,
    STARTED,
    STATUSES,
    TIMES,
    WAITING,
    cell,
)

_BYTES = 8
_COUNTED = {
    (interaction, status): cell(REQUESTS, i * len(STATUSES) + s)
    for i, interaction in enumerate(INTERACTIONS)
    for s, status in enumerate(STATUSES)
}
_TIMED = {interaction: cell(DURATION, i) for i, interaction in enumerate(INTERACTIONS)}
_FAILED = {series: cell(ERRORS, i) for i, series in enumerate(ERRORS.series)}
_REFUSED = {series: cell(REFUSED, i) for i, series in enumerate(REFUSED.series)}
_SUM = len(TIMES) + 1
_IN_FLIGHT, _CONNECTIONS, _WAITING = cell(IN_FLIGHT), cell(CONNECTIONS), cell(WAITING)
_READY, _STARTED, _PROCESS = cell(READY), cell(STARTED), cell(PROCESS)
_GROUP, _COMMIT = cell(GROUP), cell(COMMIT)


class Board:
    """The cells of every worker, and of the process that watches over them.

    Made before the workers are forked, which then share it.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        memory = mmap.mmap(-1, (workers + 1) * CELLS * _BYTES)
        self._cells = memoryview(memory).cast("d")

    def of(self, worker: int) -> memoryview[float]:
        """The cells that ``worker`` writes, counted from 0."""
        return self._cells[worker * CELLS : (worker + 1) * CELLS]

    def restarted(self) -> None:
        """Count a worker that was started anew; for the watching process alone."""
        self.of(self.workers)[cell(RESTARTS)] += 1

    def everyone(self) -> list[memoryview[float]]:
        """The cells of each worker, then those of the watching process."""
        return [self.of(worker) for worker in range(self.workers + 1)]


class Meter:
    """Counts for one worker."""

    __slots__ = ("_cells", "board")

    def __init__(self, board: Board | None = None, worker: int = 0) -> None:
        self.board = board or Board()
        cells = self._cells = self.board.of(worker)
        # A predecessor that was killed had things under way that nobody has any more.
        for gauge in (_IN_FLIGHT, _CONNECTIONS, _WAITING, _READY):
            cells[gauge] = 0
        cells[_STARTED] = time.time()
        cells[_PROCESS] = os.getpid()

    def begin(self) -> float:
        """One more request is under way; how many are now."""
        cells = self._cells
        under_way = cells[_IN_FLIGHT] = cells[_IN_FLIGHT] + 1
        return under_way

    def end(self, interaction: str, status: int, seconds: float) -> None:
        """A request that began was answered."""
        cells = self._cells
        cells[_IN_FLIGHT] -= 1
        counted = _COUNTED.get((interaction, status))
        cells[_COUNTED[interaction, 0] if counted is None else counted] += 1
        at = _TIMED[interaction]
        cells[at + bisect_left(TIMES, seconds)] += 1
        cells[at + _SUM] += seconds

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return int(self._cells[_IN_FLIGHT])

    def connections(self, open_: int) -> None:
        """So many connections are open."""
        self._cells[_CONNECTIONS] = open_

    def refused(self, reason: str) -> None:
        """A request was refused or a connection cut; ``reason`` is one of ``REFUSED``."""
        self._cells[_REFUSED[f'reason="{reason}"']] += 1

    def ready(self, is_ready: bool) -> None:
        """Whether this worker takes requests."""
        self._cells[_READY] = is_ready

    def store_failed(self, kind: str) -> None:
        """The store could not serve a request; ``kind`` is one of ``ERRORS``."""
        self._cells[_FAILED[f'kind="{kind}"']] += 1

    def waiting(self, change_sets: int) -> None:
        """So many change sets wait for the next commit."""
        self._cells[_WAITING] = change_sets

    def committed(self, change_sets: int, seconds: float) -> None:
        """A commit of so many change sets took so long."""
        cells = self._cells
        cells[_GROUP + bisect_left(GROUPS, change_sets)] += 1
        cells[_GROUP + len(GROUPS) + 1] += change_sets
        cells[_COMMIT + bisect_left(TIMES, seconds)] += 1
        cells[_COMMIT + _SUM] += seconds
