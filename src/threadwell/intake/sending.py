"""Sends batches to the store: one is on its way while the next is made; a conflict begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from threadwell.intake.circles.due import Circles
from threadwell.intake.collecting import rare_collections
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Counts, Report
from threadwell.intake.commits.looked import keep_looked
from threadwell.intake.commits.trial import Trial
from threadwell.intake.drafting import TooNarrow
from threadwell.intake.on_its_way import Make, OnItsWay
from threadwell.intake.patience import BUSY, MOST_UNFIT, Contended, Patience
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.messages import Address
from threadwell.stores.contract import Conflict

Progress = Callable[[Counts], None]


class Sending:
    """Drives a ``Run``: keeps one batch on its way, and starts anew after a conflict.

    ``ours`` are addresses that are the practice's by what messages say that it was given.
    """

    def __init__(
        self, seat: Seat, progress: Progress | None = None, *, recutting: bool = False
    ) -> None:
        self._store = seat.store
        self._project = seat.project
        self._settings = seat.settings
        self._clock = seat.clock
        self._progress = progress
        self._recutting = recutting
        self._run: Run | None = None
        self._author = ""
        self._careful = False
        self._revived: Circles = {}
        self._said: set[str] = set()
        self._looked = self._written = 0
        self._on_its_way: OnItsWay | None = None
        self._ours: set[Address] = set()
        #: What is worked on is worked on once: it need not stay at hand.
        self._brief = False
        self.report = Report(trial=Trial() if seat.settings.dry_run else None)

    def _tell_gathered(self, count: int) -> None:
        """So many were read, and wait to be decided on."""
        if self._progress is not None:
            self._progress(replace(self.report.counts, gathered=count))

    def _tell_counts(self, counts: Counts) -> None:
        """Others have counted so much, which is not in the report yet."""
        if self._progress is not None:
            total = replace(self.report.counts)
            total.add(counts)
            self._progress(total)

    async def _send(self, makes: Iterable[Make]) -> None:
        """Commit the batches in turn; nothing is on its way any more when it returns or raises."""
        with rare_collections():
            try:
                await self._begin(makes)
            finally:
                await self._arrive()

    async def _begin(self, makes: Iterable[Make]) -> None:
        """Commit the batches in turn; the last one may be on its way when it returns."""
        for make in makes:
            await self._send_one(make)

    async def _send_one(self, make: Make) -> None:
        while True:
            run = await self._running()
            run.beside = await self._is_beside()
            run, batch = await self._made(make, run)
            if await self._arrive():
                break
            # The batch before was refused and made again: this one was decided in vain.
        run.committing(batch)
        commit = asyncio.create_task(self._commit(batch))
        self._on_its_way = OnItsWay(commit, batch, make)
        await asyncio.sleep(0)  # The commit begins before the next batch is made.

    async def _made(self, make: Make, run: Run) -> tuple[Run, Batch]:
        """The batch, and the run that has made it: a new one, where that took whole circles."""
        try:
            return run, await make(run)
        except TooNarrow:
            await self._arrival()
            beside, relying, self._run = run.beside, run.relying, None
            run = await self._running()
            run.beside, run.relying, run.shelf.narrow = beside, relying, False
            batch = await make(run)
            run.shelf.narrow = True
            return run, batch

    async def _arrival(self) -> None:
        """Wait for the batch that is on its way, whatever comes of it."""
        if self._on_its_way is not None:
            await asyncio.wait([self._on_its_way.commit])

    async def _is_beside(self) -> bool:
        """Whether others have written since it began."""
        sent = self._on_its_way
        own = self._written + (sent.batch.written if sent else 0)
        return await self._store.position(self._project) > self._looked + own

    async def _arrive(self) -> bool:
        """Wait for the batch that is on its way; false if it had to be made again."""
        if self._on_its_way is None:
            return True
        sent, self._on_its_way = self._on_its_way, None
        try:
            await sent.commit
        except Conflict:
            await self._again(sent.make)
            return False
        self._account(sent.batch)
        return True

    async def _again(self, make: Make) -> None:
        self._careful = True
        unfit, patience = 0, Patience()
        while await patience.turn():
            self._run = None
            run = await self._running()
            run.beside, run.relying = True, unfit < MOST_UNFIT
            run, batch = await self._made(make, run)
            run.committing(batch)
            try:
                await self._commit(batch)
            except Conflict as conflict:
                unfit += conflict.key is None
                continue
            self._account(batch)
            return
        raise Contended(BUSY)

    async def _commit(self, batch: Batch) -> None:
        if not (batch.is_empty or self._settings.dry_run):
            commit = self._store.commit(self._project, batch.change_set())
            if self._brief:
                batch.let_go()
            await commit

    async def _keep_looked(self, position: int) -> None:
        if not self._settings.dry_run:
            await keep_looked(self._store, self._project, position)

    def _account(self, batch: Batch) -> None:
        self._written += batch.written
        self.report.add(batch)
        if self.report.trial is not None:
            self.report.trial.add(batch.writes.values())
        self._revived.update(batch.revived)
        self._said.update(batch.said)
        # Nothing of a dry run can be read back: all of it stays at hand, but for circles that are
        # cut anew, each once.
        if self._run is not None and (self._recutting or not self._settings.dry_run):
            self._run.committed()
        if self._progress is not None:
            self._progress(replace(self.report.counts))

    async def _running(self) -> Run:
        if self._run is None:
            run = Run(
                self._store,
                self._project,
                self._settings,
                self._clock,
                recutting=self._recutting,
                careful=self._careful,
                # Nothing of a dry run can be read back.
                narrow=not (self._settings.dry_run or self._recutting),
                arrival=self._arrival,
                author=self._author,
            )
            run.shelf.brief = self._brief
            await run.start()
            run.people.take_as_own(self._ours)
            self._run = run
        return self._run
