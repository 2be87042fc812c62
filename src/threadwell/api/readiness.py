"""Can the store be read, and written to, and are its duties done?

Asked by trying, but never more than once a second.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import Any, NamedTuple

from threadwell.duties.standing import Standing, standings
from threadwell.fhir.stamp import now_ms
from threadwell.intake.arrivals.stuck import count_stuck
from threadwell.stores.contract import Store

_log = logging.getLogger(__name__)

#: Seconds that the store may take.
PATIENCE = 2.0
#: Seconds that an answer holds.
_HOLDS = 1.0


class Able(NamedTuple):
    """What the store can do."""

    read: bool
    write: bool


class Readiness:
    """The last answer of one store, and the question under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = Able(read=True, write=True)
        self._until = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._duties: list[Standing] = []
        self._stuck = 0
        self._duties_until = 0.0
        self._looking: asyncio.Task[tuple[list[Standing], int]] | None = None

    async def ask(self) -> Able:
        """What the store can do now; waits for it no longer than ``PATIENCE``."""
        if monotonic() >= self._until:
            # A question that was not answered yet is not asked again.
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write())
            await asyncio.wait([self._reading, self._writing], timeout=PATIENCE)
            self._tell(Able(_went_well(self._reading), _went_well(self._writing)))
            self._until = monotonic() + _HOLDS
        return self._last

    async def duties(self) -> list[Standing]:
        """How every duty stands; what was known last where the store does not answer in time."""
        if monotonic() >= self._duties_until:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            await asyncio.wait([self._looking], timeout=PATIENCE)
            if _went_well(self._looking):
                self._duties, self._stuck = self._looking.result()
            self._duties_until = monotonic() + _HOLDS
        return self._duties

    async def stuck(self) -> int:
        """How many deliveries cannot be taken in, as of when ``duties`` was answered."""
        await self.duties()
        return self._stuck

    async def _look(self) -> tuple[list[Standing], int]:
        return await standings(self._store), await count_stuck(self._store)

    async def _read(self) -> None:
        await self._store.get_private("health", "written")

    async def _write(self) -> None:
        await self._store.put_private("health", "written", str(now_ms()).encode())

    def _tell(self, able: Able) -> None:
        if able != self._last:
            level = logging.INFO if all(able) else logging.ERROR
            words = {True: "can", False: "cannot"}
            read, write = words[able.read], words[able.write]
            _log.log(level, "the store %s be read and %s be written to", read, write)
        self._last = able


def _went_well(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
