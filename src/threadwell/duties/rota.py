"""The duties of one process: which of them are its turn, and each in a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from threadwell.duties.duty import Duty
from threadwell.duties.lease import BEAT, Leases, hold, seconds
from threadwell.duties.standing import Record, keep_record, read_record
from threadwell.fhir.stamp import new_id, now_ms
from threadwell.stores.contract import DEFAULT_PROJECT, Conflict, Store, StoreError

_log = logging.getLogger(__name__)

#: Seconds until a duty that failed has another turn: doubled each time that it fails again.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
#: Seconds between two rounds that nobody has asked to wait for each other.
_REST = 0.02
#: Seconds after which a duty that waits looks whether somebody has set the clock, and by how many
#: seconds it has to be set to get a turn for it.
_SLICE, _SET = 10.0, 2.0
#: Seconds after which the record of a duty that goes well is kept anew.
_KEPT = 10.0
#: Seconds that a round under way has once the process is to stop.
_GRACE = 5.0
#: Seconds within which a project that is new has its duties done.
AGAIN = 2.0


def new_holder() -> str:
    """A name for this process that no other one has; people read from it which one it is."""
    return f"{socket.gethostname()}:{os.getpid()}:{new_id(now_ms())[-12:]}"


#: The duties of each project that there is by now.
Shifts: TypeAlias = Callable[[], Awaitable[Mapping[str, Sequence[Duty]]]]


async def perform(
    store: Store, project: str, duties: Sequence[Duty], stop: asyncio.Event, *, holder: str = ""
) -> None:
    """Do those of ``duties`` that no other process has, until ``stop`` is set.

    It never raises what a duty or the store raises. Two duties have no name in common
    (``ValueError``).
    """
    rota = _rota(store, project, holder)
    rota.join(project, duties)
    async with rota.hearing():
        await rota.keep(stop)


async def perform_all(
    store: Store, shifts: Shifts, stop: asyncio.Event, *, holder: str = ""
) -> None:
    """Do the duties of every project that no other process has, of new ones within ``AGAIN``.

    ``store`` is that of the server. Duties of a project that is not the first are named with its
    id: ``outbox@…``.
    """
    rota = _rota(store, DEFAULT_PROJECT, holder)
    rota.shifts = shifts
    async with rota.hearing():
        await rota.keep(stop)


def name_of(duty: str, project: str) -> str:
    """By which name a project's duty is leased, and told of."""
    return duty if project == DEFAULT_PROJECT else f"{duty}@{project}"


def _rota(store: Store, project: str, holder: str) -> _Rota:
    return _Rota(store, Leases(store, project, (), holder or new_holder()))


@dataclass(slots=True)
class _Turn:
    """A duty that this process has: by which lease, how it fares, and the task of its rounds."""

    name: str
    duty: Duty
    lease: bytes
    record: Record
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    under_way: bool = False
    #: Whether the round under way is the last one.
    stopping: bool = False
    #: When the record was kept last, and how many failures it told of.
    kept: float = field(default_factory=seconds)
    told: int = 0

    def begin(self) -> None:
        """Have rounds until cancelled."""
        self.told = self.record.failures
        self.task = asyncio.create_task(self._go_on(), name=f"duty-{self.name}")

    async def keep_record(self, store: Store, *, now: bool = False) -> None:
        """Keep the record where there is news in it; ``now`` even if it was kept just now."""
        due = now or self.record.failures != self.told or seconds() - self.kept >= _KEPT
        if due:
            self.kept, self.told = seconds(), self.record.failures
            await keep_record(store, self.name, self.record)

    async def _go_on(self) -> None:
        hold(self.name, self.lease)
        pause = _FIRST_PAUSE
        while True:
            self.stirred.clear()
            ahead = _ahead()
            wait, well = await self._round()
            if self.stopping:
                return
            if well:
                pause = _FIRST_PAUSE
                await self._wait(wait, ahead)
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _round(self) -> tuple[float | None, bool]:
        """Have one round: when it wants the next one, and whether it went well."""
        record, begun = self.record, seconds()
        self.under_way = True
        try:
            wait = await self.duty.round()
        except Exception as error:  # noqa: BLE001 - one duty must not end the others
            record.failures += 1
            record.last_failure, record.error = time.time(), type(error).__name__
            if isinstance(error, (StoreError, Conflict)):
                # Of all errors' messages only a store's is free of what it was asked to keep.
                _log.error("the duty %s failed: %s", self.name, error)
            else:
                _log.exception("the duty %s failed", self.name)
            return None, False
        else:
            record.last_success, record.error = time.time(), ""
            return wait, True
        finally:
            self.under_way = False
            record.runs += 1
            record.seconds += seconds() - begun

    async def _wait(self, wait: float | None, ahead: float) -> None:
        """Until its next turn: so many seconds, a stir, or that somebody has set the clock.

        ``ahead`` is how it was set when the round began that has reckoned by it.
        """
        await asyncio.sleep(_REST)
        ends = None if wait is None else seconds() + wait
        while ends is None or seconds() < ends:
            left = _SLICE if ends is None else min(_SLICE, max(0.0, ends - seconds()))
            try:
                async with asyncio.timeout(left):
                    await self._stirred_if_heeded()
                return
            except TimeoutError:
                if abs(_ahead() - ahead) >= _SET:
                    return

    async def _stirred_if_heeded(self) -> None:
        if not self.duty.heeds_stirs:
            await asyncio.Event().wait()
        await self.stirred.wait()


def _ahead() -> float:
    """Seconds by which the clock on the wall is before the one that nobody sets."""
    return time.time() - seconds()


@dataclass(slots=True)
class _Rota:
    store: Store
    leases: Leases
    #: By the names of their leases, and of which projects they are.
    duties: dict[str, Duty] = field(default_factory=dict)
    projects: dict[str, list[str]] = field(default_factory=dict)
    turns: dict[str, _Turn] = field(default_factory=dict)
    shifts: Shifts | None = None
    #: When it is asked next whether there are further projects.
    asked: float = 0.0
    hears: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    #: Whether the store did not answer when it was asked last.
    away: bool = False

    def join(self, project: str, duties: Sequence[Duty]) -> None:
        """Take on the duties of a project; raises ``ValueError`` where two have one name."""
        several = self.shifts is not None
        by_name = {name_of(one.name, project) if several else one.name: one for one in duties}
        if len(by_name) < len(duties):
            raise ValueError("two duties have the same name")
        self.duties |= by_name
        self.projects[project] = list(by_name)
        self.leases.names = tuple(self.duties)

    async def keep(self, stop: asyncio.Event) -> None:
        """Look after the leases, and have rounds of the duties that it has."""
        stopping = asyncio.create_task(stop.wait())
        looking: asyncio.Task[None] | None = None
        try:
            while not stop.is_set():
                looking = looking or asyncio.create_task(self._look())
                # A store that does not answer must not keep it from letting go.
                await asyncio.wait([looking, stopping], timeout=BEAT, return_when="FIRST_COMPLETED")
                if self.leases.doubtful:
                    await self._drop(list(self.turns))
                if looking.done():
                    looking = None
                    await asyncio.wait([stopping], timeout=BEAT)
        finally:
            for task in (stopping, looking):
                if task is not None:
                    task.cancel()
                    await asyncio.wait([task])
            await self._finish()

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """While this is open, every duty hears when the store stirs."""
        self._listen()
        try:
            yield
        finally:
            await _end(list(self.hears.values()))

    def _listen(self) -> None:
        for project in self.projects.keys() - self.hears.keys():
            task = asyncio.create_task(self._hear(project), name="threadwell-duties-stirs")
            self.hears[project] = task

    async def _hear(self, project: str) -> None:
        while True:
            with contextlib.suppress(StoreError):
                async with aclosing(self.store.stirrings(project)) as stirrings:
                    async for _ in stirrings:
                        for name in self.projects[project]:
                            if turn := self.turns.get(name):
                                turn.stirred.set()
            await asyncio.sleep(BEAT)

    async def _take_on(self) -> None:
        """Take on the duties of projects that are new."""
        if self.shifts is None or seconds() < self.asked:
            return
        self.asked = seconds() + AGAIN
        for project, duties in (await self.shifts()).items():
            if project not in self.projects:
                self.join(project, duties)
        self._listen()

    async def _look(self) -> None:
        try:
            await self._take_on()
            await self.leases.look()
            self.away = False
            await self._follow_leases()
            # While the store takes its time, all of them may be left off.
            for name, turn in list(self.turns.items()):
                if self.turns.get(name) is turn:
                    await turn.keep_record(self.store)
        except StoreError as error:
            if not self.away:
                _log.error("duties have to wait: %s", error)
            self.away = True
        except Exception:  # noqa: BLE001 - whatever it is, the next look may go well
            _log.exception("looking after the duties failed")

    async def _follow_leases(self) -> None:
        """Begin what it has and does not do, and leave off what it has no longer."""
        held = self.leases.held
        await self._drop([name for name, one in self.turns.items() if held.get(name) != one.lease])
        begun: list[str] = []
        try:
            for name, lease in list(held.items()):
                if name not in self.turns:
                    record = await read_record(self.store, name)
                    if self.leases.doubtful:
                        return
                    turn = self.turns[name] = _Turn(name, self.duties[name], lease, record)
                    turn.begin()
                    begun.append(name)
        finally:
            if begun:
                _log.info("has now: %s", ", ".join(begun))

    async def _drop(self, names: Sequence[str]) -> None:
        turns = [self.turns.pop(name) for name in names]
        for turn in turns:
            _log.warning("no longer has the duty %s", turn.name)
        await _end([turn.task for turn in turns if turn.task is not None])

    async def _finish(self) -> None:
        """Let rounds under way end, and give the leases back."""
        turns = list(self.turns.values())
        for turn in turns:
            turn.stopping = True
        await _end([turn.task for turn in turns if turn.task and not turn.under_way])
        tasks = [turn.task for turn in turns if turn.task]
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        await _end(tasks)
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_GRACE):
                for turn in turns:
                    await turn.keep_record(self.store, now=True)
                await self.leases.leave()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
