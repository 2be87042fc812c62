"""Can the store be read, and written to, and are its duties done?

Asked by trying, but never more than once a second.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from threadwell.duties.standing import Record, Standing, standings
from threadwell.fhir.stamp import now_ms
from threadwell.intake.arrivals.depth import JournalDepth, journal_depth
from threadwell.intake.arrivals.stuck import count_stuck
from threadwell.intake.replies.depth import OutboxDepth, outbox_depths
from threadwell.projects.registry import projects
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT, Store

_log = logging.getLogger(__name__)

#: Seconds that the store may take.
PATIENCE = 2.0
#: Seconds that an answer holds.
_HOLDS = 1.0


class Able(NamedTuple):
    """What the store can do."""

    read: bool
    write: bool


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits: ``stuck`` deliveries of all projects, and the journal and outbox of ours."""

    stuck: int = 0
    journal: JournalDepth = field(default_factory=JournalDepth)
    outbox: tuple[OutboxDepth, ...] = ()


class Readiness:
    """The last answer of one store, and the question under way."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._is_first = project == DEFAULT_PROJECT
        self._last = Able(read=True, write=True)
        self._until = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._duties: list[Standing] = []
        self._waits = Waits()
        self._duties_until = 0.0
        self._looking: asyncio.Task[tuple[list[Standing], Waits]] | None = None

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
                self._duties, self._waits = self._looking.result()
            self._duties_until = monotonic() + _HOLDS
        return self._duties

    async def waits(self) -> Waits:
        """What waits, as of when ``duties`` was answered."""
        await self.duties()
        return self._waits

    async def _look(self) -> tuple[list[Standing], Waits]:
        waits = Waits()
        # These are counts of the server's work: which of its projects has how much is not told.
        for one in await projects(self._store) if self._is_first else ():
            store = within(self._store, one.id)
            waits = _together(
                waits,
                Waits(
                    await count_stuck(store),
                    await journal_depth(store, one.id),
                    tuple(await outbox_depths(store, one.id)),
                ),
            )
        return _by_duty(await standings(self._store)), waits

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


def _by_duty(all_: list[Standing]) -> list[Standing]:
    """The duties of all projects, each once: as the one of them stands that stands worst."""
    found: dict[str, Standing] = {}
    for one in all_:
        name = one.name.partition("@")[0]
        had = found.get(name)
        found[name] = _worse(had, one) if had else Standing(name, one.record, one.holder)
    return list(found.values())


def _worse(had: Standing, one: Standing) -> Standing:
    first, second = had.record, one.record
    record = Record(
        first.runs + second.runs,
        first.failures + second.failures,
        first.seconds + second.seconds,
        min(first.last_success, second.last_success),
        max(first.last_failure, second.last_failure),
        first.error or second.error,
    )
    return Standing(had.name, record, had.holder and one.holder)


def _together(some: Waits, more: Waits) -> Waits:
    one, other = some.journal, more.journal
    times = [time for time in (one.oldest, other.oldest) if time]
    journal = JournalDepth(one.count + other.count, min(times, default=0.0), one.more or other.more)
    outbox: dict[str, OutboxDepth] = {}
    for depth in (*some.outbox, *more.outbox):
        had = outbox.get(depth.account, OutboxDepth(depth.account))
        written = [time for time in (had.oldest, depth.oldest) if time]
        outbox[depth.account] = OutboxDepth(
            depth.account,
            had.waiting + depth.waiting,
            min(written, default=0.0),
            had.dead + depth.dead,
        )
    return Waits(some.stuck + more.stuck, journal, tuple(outbox.values()))
