"""Drives one run for years: whatever others change is noticed before the next commit.

The run keeps people, circles and names at hand. Before each batch it looks whether the project has
moved on by more than it has written itself, and if so goes through the news and lets go of what
has changed. What somebody writes between that look and the commit is refused by the markers, where
the two meet; where they do not, it comes after.
"""

from __future__ import annotations

from threadwell.intake.choices import chosen
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.looked import WORTH_KEEPING
from threadwell.intake.commits.marks import SAID
from threadwell.intake.driving import Importing
from threadwell.intake.held.awaited import as_thing
from threadwell.intake.held.release import Wanted
from threadwell.intake.noticed import Noticed, notice
from threadwell.intake.on_its_way import Make
from threadwell.intake.patience import BUSY, MOST_UNFIT, Contended, Patience
from threadwell.intake.receipts.making import tell_unread
from threadwell.intake.receipts.model import receipt_model
from threadwell.intake.released import done_until, keep_released, to_release
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Conflict, Kept, Key

#: What a batch may have written that a run cannot take back.
_LASTS = frozenset({"Task", "Patient", "Organization"})


class ChosenAnew(Exception):
    """The store's sessions are to be cut otherwise: what is to be done has to be done anew."""


class Lasting(Importing):
    """An ``Importing`` that keeps its run.

    ``refused`` counts the batches that were decided again. ``practice_changed`` is true where the
    settings may be other ones by now.
    """

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self.refused = 0
        self.practice_changed = False
        self._chosen: dict[Key, Kept] = {}
        self._position: int | None = None
        self._kept_position = 0
        self._own: set[str] = set()
        self._own_writes = 0
        self._noticed = Noticed()

    def go_by(self, settings: Settings) -> None:
        """From now on those are the settings."""
        self._settings, self._run = settings, None
        self.practice_changed = False

    async def is_chosen_anew(self) -> bool:
        """Whether others have chosen since how sessions are cut."""
        now = await chosen(self._store, self._project)
        anew = now != self._chosen
        self._chosen = now
        return anew

    async def look(self) -> None:
        """Let count what others have changed since, and release what waits for that."""
        first = self._position is None
        await self._running()
        if first:
            await self.answer()
            wanted, done = await to_release(self._store, self._project, self._settings)
            await self.replay(wanted)
            await keep_released(self._store, self._project, done)
        noticed, self._noticed = self._noticed, Noticed()
        try:
            await self._let_count(noticed)
        except BaseException:
            noticed.update(self._noticed)
            self._noticed = noticed
            raise
        await self._keep_position()

    async def _let_count(self, noticed: Noticed) -> None:
        await self._take_over(noticed.held, noticed.asked)
        if noticed.people:
            await self._merge()
        if noticed.asked or noticed.held or noticed.said or noticed.practice or noticed.people:
            await self._settle_writers()
        run = await self._running()
        circles = await noticed.touched.find(run.people)
        await self._settle(circles)
        await self._follow(noticed.touched)
        things = {*noticed.addresses, *noticed.said, *self._said, *map(as_thing, circles)}
        await self.replay(Wanted(things, set(noticed.held)))
        self._said.clear()

    async def _keep_position(self) -> None:
        """Keep how far it has looked, so that another one need not look through it again."""
        there = self._position or 0
        if there - self._kept_position >= WORTH_KEEPING:
            await self._keep_looked(there)
            done = done_until(there, self._settings)
            await keep_released(self._store, self._project, done)
            self._kept_position = there

    async def _running(self) -> Run:
        await self._catch_up()
        if self._run is not None and self._run.is_full:
            self._run = None
        return await super()._running()

    async def _catch_up(self) -> None:
        """Notice what others have written, and let go of it."""
        now = await self._store.position(self._project)
        if self._position is None:
            self._position = self._kept_position = now
        elif now != self._position + self._own_writes:
            if self._run is not None:
                # The marker is never newer than what is looked through.
                await self._run.marks.renew(SAID)
                now = await self._store.position(self._project)
            noticed = await notice(
                *(self._store, self._project, self._position, now),
                self._own,
                self._settings.country,
            )
            self._noticed.update(noticed)
            self._let_go(noticed)
        self._position = now
        self._own.clear()
        self._own_writes = 0

    def _let_go(self, noticed: Noticed) -> None:
        self.practice_changed |= noticed.practice
        if noticed.practice or noticed.said:
            self._run = None
        elif self._run is not None:
            self._run.forget(noticed)

    async def _send_one(self, make: Make) -> None:
        unfit, patience = 0, Patience()
        while await patience.turn():
            run = await self._running()
            run.relying = unfit < MOST_UNFIT
            try:
                run, batch = await self._made(make, run)
                if not batch.is_empty:
                    model = await receipt_model(self._store, self._project)
                    await tell_unread(batch, model, run.current)
                for key, kept in () if batch.is_empty else self._chosen.items():
                    batch.kept.setdefault(key, kept)
                run.committing(batch)
                await self._commit(batch)
            except Conflict as conflict:
                self.refused += 1
                unfit += conflict.key is None
                self._undo(batch)
                if conflict.key in self._chosen:
                    raise ChosenAnew from None
            except BaseException:
                self._run = None
                raise
            else:
                self._own.add(batch.version)
                self._own_writes += len(batch.writes)
                run.careful = self._careful = False
                self._account(batch)
                return
        raise Contended(BUSY)

    def _undo(self, batch: Batch) -> None:
        self._careful = True
        if self._run is None or batch.says or any(key.type in _LASTS for key in batch.writes):
            self._run = None
        else:
            self._run.undo()
