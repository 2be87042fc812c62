"""The way in for messages that arrive while care goes on: a few at a time, for years."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.commits.counts import Report
from threadwell.intake.lasting import ChosenAnew, Lasting
from threadwell.intake.paging import in_batches
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.messages import Broken, Message
from threadwell.stores.contract import Store


class Intake:
    """Takes messages in as an import does, and keeps what it has read for the next ones.

    It may be used for years, by many tasks, and beside others in any process: what they change
    counts for the next batch. What it keeps at hand is bounded. ``settings`` is asked for how
    sessions are cut: at the beginning, and whenever that may have changed; it must not be a dry
    run. ``refused`` counts the batches that had to be decided again, as others had written to the
    same circles.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        settings: Callable[[], Awaitable[Settings]],
        *,
        clock: Clock = now_ms,
    ) -> None:
        self._store = store
        self._project = project
        self._settings = settings
        self._clock = clock
        self._lasting: Lasting | None = None
        self._turn = asyncio.Lock()

    @property
    def refused(self) -> int:
        """How many batches were decided again so far."""
        return self._lasting.refused if self._lasting else 0

    async def take(self, items: Iterable[Message | Broken]) -> Report:
        """Take in messages, after what others have changed; when it returns they are durable.

        ``Settings.batch`` of them are committed at once. Taken twice, they change nothing. Raises
        ``StoreError`` where the store cannot, ``Contended`` among them: then some of the items
        may be in, and all may be given again.
        """
        async with self._turn:
            report = Report()
            lasting = await self._up_to_date(report)
            for some in in_batches(items, lasting.batch):
                while True:
                    try:
                        await lasting.take(some)
                        await lasting.revive()
                    except ChosenAnew:
                        lasting = await self._up_to_date(report)
                    else:
                        break
            return report

    async def look(self) -> Report:
        """Let count what others have changed, and take in what is held and has its place now.

        To be called when the store stirs and nothing has arrived: ``take`` does it by itself.
        """
        async with self._turn:
            report = Report()
            await self._up_to_date(report)
            return report

    async def finish(self) -> Report:
        """Finish the sessions that are over by now, by the clock."""
        async with self._turn:
            report = Report()
            while True:
                lasting = await self._up_to_date(report)
                try:
                    await lasting.settle()
                except ChosenAnew:
                    continue
                return report

    async def _up_to_date(self, report: Report) -> Lasting:
        """What goes by the settings and the store as they are now; it counts in that report."""
        while True:
            if self._lasting is None:
                settings = await self._settings()
                self._lasting = Lasting(
                    Seat(self._store, self._project, settings, clock=self._clock)
                )
            lasting = self._lasting
            lasting.report = report
            if await lasting.is_chosen_anew():
                lasting.go_by(await self._settings())
            try:
                await lasting.look()
            except ChosenAnew:
                continue
            if not lasting.practice_changed:
                return lasting
            lasting.go_by(await self._settings())
