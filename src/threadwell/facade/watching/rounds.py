"""Looks at a folder again and again, and imports what is whole.

The order makes a kill harmless at any moment: first the import commits, then the store keeps that
the file is done with, then the file is moved. What was not kept is read again, and every message of
it is known; what was kept and not moved is only moved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Event
from typing import NamedTuple, TypeAlias

from threadwell.facade.importing import Told, run_import
from threadwell.facade.watching.arrivals import Arrival, arrivals, trace_of
from threadwell.facade.watching.choosing import choose
from threadwell.facade.watching.memory import Memory
from threadwell.facade.watching.places import move, say_why
from threadwell.facade.watching.plan import DONE, UNREAD, Round, Watching
from threadwell.intake import BadPeople, BadSetting, Counts, Report
from threadwell.stores.contract import Store, StoreError

_log = logging.getLogger("threadwell")

#: So many times longer a file waits that no channel knows: it may be a picture of a chat that is
#: still on its way.
_PATIENCE = 6
#: The longest pause between two tries where something is in the way, in seconds.
_LONGEST = 60.0

Tell: TypeAlias = Callable[[Round], None]


class Stopped(Exception):
    """Whoever watches was told to stop, and has stopped after a whole commit."""


async def watch(
    store: Store,
    project: str,
    plan: Watching,
    tell: Tell,
    stop: Event,
    told: Told | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Watch until ``stop`` is set, or once; ``tell`` is called after each round that did anything.

    ``told`` is told by what the sessions are cut. Raises what an import raises that cannot be
    right whatever the files are (``BadSetting``, ``BadPeople``), and ``OSError`` where the folder
    cannot be looked into at the start; later it is waited for. ``clock`` tells how long a file has
    not changed, in seconds.
    """
    await _Watch(store, project, plan, tell, stop, told, clock).run()


class _Waiting(NamedTuple):
    """Since when a file or folder is as it is."""

    trace: str
    since: float


class _Failed(NamedTuple):
    """What could not be imported, and why."""

    arrival: Arrival
    reason: str


class _Watch:
    def __init__(
        self,
        store: Store,
        project: str,
        plan: Watching,
        tell: Tell,
        stop: Event,
        told: Told | None,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._project = project
        self._plan = plan
        self._tell = tell
        self._stop = stop
        self._told = told or _nothing
        self._clock = clock
        self._memory = Memory(store, project, plan.folder)
        self._waiting: dict[str, _Waiting] = {}
        self._unmoved: set[str] = set()
        self._trouble = 0

    async def run(self) -> None:
        """Look until it is over."""
        arrivals(self._plan.folder)
        await self._import([], Report())  # A mistake is said at once.
        await self._memory.start()
        end = 0.0
        with suppress(Stopped):
            while not self._stop.is_set():
                is_last = self._plan.once and bool(end or not self._plan.settle)
                is_last = is_last and self._clock() >= end
                outcome = await self._round(is_last=is_last)
                if outcome:
                    self._tell(outcome)
                if is_last:
                    return
                # What the first look has found is whole, or still changes, so much later.
                end = end or self._clock() + self._plan.settle
                await self._rest(bool(outcome.trouble))

    async def _round(self, *, is_last: bool) -> Round:
        out = Round()
        try:
            found = arrivals(self._plan.folder)
            await self._memory.forget_all_but([one.name for one in found])
            ready = await self._ready(found)
            await self._take(ready, out, is_last=is_last)
        except (StoreError, BadSetting, BadPeople, OSError) as error:
            out.trouble = _sentence(error)
        if is_last:
            out.busy = len(self._waiting)
        return out

    async def _ready(self, found: Sequence[Arrival]) -> list[Arrival]:
        """What is whole and not done with."""
        now = self._clock()
        before, self._waiting = self._waiting, {}
        ready = []
        for one in found:
            if self._memory.is_done(one.name, one.trace):
                if not self._plan.leave and one.name not in self._unmoved:
                    self._move(one, DONE)  # It was killed before it could.
                continue
            known = before.get(one.name)
            since = known.since if known and known.trace == one.trace else now
            self._waiting[one.name] = _Waiting(one.trace, since)
            if now - since >= self._plan.settle:
                ready.append(one)
        return ready

    async def _take(self, ready: Sequence[Arrival], out: Round, *, is_last: bool) -> None:
        if not ready:
            return
        names = {one.name for one in ready}
        chosen = choose(
            ready,
            [self._plan.folder / name for name in self._waiting if name not in names],
            self._plan.job.channels,
            lambda one: not is_last and self._may_belong(one),
            any_format=self._plan.job.channel is not None,
        )
        if chosen.taken:
            errors = await self._import(chosen.taken, out.report)
            failed = chosen.failed | {one.arrival: one.reason for one in errors}
            await self._finish([*chosen.taken, *chosen.along], failed, out)

    def _may_belong(self, one: Arrival) -> bool:
        """Whether a file that no channel knows may still be named by one that is on its way."""
        waits = self._clock() - self._waiting[one.name].since
        return waits < self._plan.settle * _PATIENCE

    async def _import(self, taken: Sequence[Arrival], report: Report) -> list[_Failed]:
        """Import files in one go; each by itself where one of them makes that fail."""
        job = replace(self._plan.job, paths=tuple([one.path for one in taken]))
        try:
            report.add(await run_import(self._store, self._project, job, self._go_on, self._told))
        except (Stopped, StoreError, BadSetting, BadPeople):
            raise
        except Exception as error:
            if not taken:
                raise
            if len(taken) == 1:
                return [_Failed(taken[0], _sentence(error))]
            return [one for each in taken for one in await self._import([each], report)]
        finally:
            self._told = _nothing
        return []

    async def _finish(
        self, files: Sequence[Arrival], failed: dict[Arrival, str], out: Round
    ) -> None:
        """Keep what is done with, and move it; what has changed meanwhile is read again."""
        same = [one for one in files if trace_of(one.path) == one.trace]
        await self._memory.keep((one.name, one.trace) for one in same)
        for one in same:
            self._waiting.pop(one.name, None)
            out.taken += one not in failed
            out.unread += one in failed
            if not self._plan.leave:
                self._move(one, UNREAD if one in failed else DONE, failed.get(one, ""))

    def _move(self, one: Arrival, place: str, reason: str = "") -> None:
        """Move a file that is done with; where that fails, it stays and is not read again."""
        try:
            moved = move(one.path, self._plan.folder / place)
            if reason:
                say_why(moved, reason)
        except FileNotFoundError:
            pass  # Somebody else has taken it away.
        except OSError as error:
            self._unmoved.add(one.name)
            _log.warning("a file that is done with cannot be moved: %s", error.strerror)

    def _go_on(self, _counts: Counts) -> None:
        """Called after each commit of an import."""
        if self._stop.is_set():
            raise Stopped

    async def _rest(self, trouble: bool) -> None:
        self._trouble = self._trouble + 1 if trouble else 0
        pause = min(self._plan.pause * 2**self._trouble, max(_LONGEST, self._plan.pause))
        await asyncio.to_thread(self._stop.wait, pause)


def _sentence(error: Exception) -> str:
    """What went wrong, without what a file holds or is called."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if (
        isinstance(error, (StoreError, BadSetting, BadPeople))
        or type(error).__name__ == "NeedsZone"
    ):
        return str(error)
    return f"something unexpected happened ({type(error).__name__})"


def _nothing(_choices: object) -> None:
    """Tell nobody: it was told once."""
