"""Takes the journal in: in batches that form while one is being written, through the same intake.

While a batch is taken in, the next one is read, and the one before leaves the journal. What is
taken in is out of the journal after its commit. A process that dies between the two takes
it in again, which changes nothing: ids are those of the provider. What cannot be taken in is tried
again a few times, and then put aside (``stuck``): those behind it do not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.live import Withdrawn
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals import journal
from threadwell.intake.arrivals.consents import keep_wishes
from threadwell.intake.arrivals.journal import ARRIVED, FILES, SOUGHT, Journaled
from threadwell.intake.arrivals.reading import Read, read_entry
from threadwell.intake.arrivals.settings import live_country, live_settings
from threadwell.intake.arrivals.statuses import keep_statuses
from threadwell.intake.arrivals.stuck import move_aside
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.live import Intake
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Kept, Store

_log = logging.getLogger(__name__)

#: Seconds until a delivery is tried again that could not be taken in, after the first time, the
#: second …; after the last it is put aside.
PAUSES = (1, 10, 60, 300)
#: Deliveries in one batch at first and at most, and its bytes; two batches are in memory together.
_FIRST, BATCH = 32, 2000
_BYTES = 16 * 1024 * 1024


class Withdrawing(Protocol):
    """Takes a message back that its sender has; whether it is there."""

    async def __call__(self, seat: Seat, one: Withdrawn) -> bool:
        """Take it back, in the record of a project."""
        ...


class Taking:
    """Takes deliveries in; ``channels`` are those that hear, by name, ``labels`` those of all.

    ``withdraw`` takes back what a sender has deleted; without it, that changes nothing.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        channels: Mapping[str, Channel],
        labels: Mapping[str, str],
        *,
        clock: Clock = now_ms,
        pauses: Sequence[float] = PAUSES,
        withdraw: Withdrawing | None = None,
    ) -> None:
        self._withdrawing = withdraw
        self._store = store
        self._project = project
        self._channels = channels
        self._labels = labels
        self._clock = clock
        self._pauses = pauses
        self._intake = Intake(store, project, self._settings, clock=clock)
        self._count = _FIRST
        self._leaving: asyncio.Task[None] | None = None

    async def round(self) -> float | None:
        """Take in all that is due in the journal, and what comes meanwhile as well.

        The seconds until something else is due, ``None`` where nothing waits. Raises
        ``StoreError``, and ``BadSetting`` where the settings of the store make no sense: what is
        left stays in the journal.
        """
        after, taken = "", False
        next_: int | None = None
        count = self._count
        ahead: asyncio.Task[list[Journaled]] | None = None
        try:
            while True:
                count = self._count if ahead is None else count
                batch = await (ahead or self._entries(after))
                ahead = None
                if batch:
                    now = self._clock()
                    due = [one for one in batch if one.entry.due <= now]
                    later = [one.entry.due for one in batch if one.entry.due > now]
                    next_ = min([*later, *([] if next_ is None else [next_])], default=None)
                    size = sum(len(one.value) for one in batch)
                    self._count = max(1, min(BATCH, _BYTES * len(batch) // max(1, size)))
                    # A name tells nothing of when it came: going on from here, none waits for ever.
                    after = batch[-1].name
                    if due:
                        if len(batch) == count:
                            # Else those that come meanwhile are for the next batch, too.
                            ahead = asyncio.create_task(self._entries(after))
                        count = self._count
                        await self._take(due)
                        taken = True
                elif taken:
                    await self._left()
                    after, taken, next_ = "", False, None
                else:
                    return None if next_ is None else max(0.0, (next_ - self._clock()) / 1000)
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
            await self._left()

    async def _entries(self, after: str) -> list[Journaled]:
        return await journal.entries(
            self._store, self._project, ARRIVED, after=after, count=self._count
        )

    async def _leave(self, done: Sequence[Kept]) -> None:
        """Let entries leave the journal meanwhile, once those before have left it."""
        await self._left()
        self._leaving = asyncio.create_task(journal.revise(self._store, self._project, done))

    async def _left(self) -> None:
        """Wait until what was taken in has left the journal; raises ``StoreError``."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            await leaving

    async def _settings(self) -> Settings:
        return await live_settings(self._store, self._project, self._labels)

    async def _take(self, batch: Sequence[Journaled]) -> None:
        """One batch, in the order in which it was delivered."""
        country = await live_country(self._store, self._project)
        known = {one.name: one for one in await accounts(self._store, self._project)}
        ordered = sorted(batch, key=lambda one: (one.entry.delivery.received, one.name))
        whole: list[Journaled] = []
        read: list[Read] = []
        sought: list[Kept] = []
        for one in ordered:
            entry = one.entry
            account = known.get(entry.account) or Account(entry.account, entry.channel)
            what = read_entry(entry, self._channels, account, country)
            if what.failed:
                # It would fail as often as it is read.
                await self._put_aside(one, what.failed)
            elif what.sought:
                sought += journal.moved(one, SOUGHT)
            else:
                whole.append(one)
                read.append(what)
        await journal.revise(self._store, self._project, sought)
        if whole:
            await self._take_in(whole, read)

    async def _take_in(self, batch: Sequence[Journaled], read: Sequence[Read]) -> None:
        """Take in what a batch holds. Of one that cannot be, each for itself."""
        try:
            await self._intake.take(item for what in read for item in what.items)
            statuses = [status for what in read for status in what.statuses]
            await keep_statuses(self._store, self._project, statuses, self._clock())
            await keep_wishes(
                self._store, self._project, [wish for what in read for wish in what.wishes]
            )
        except BadSetting:
            raise
        except Exception as error:  # noqa: BLE001 - one that stops us must not stop those behind it
            if len(batch) > 1:
                for one, what in zip(batch, read, strict=True):
                    await self._take_in([one], [what])
                return
            await self._failed(batch[0], error)
            return
        done: list[Kept] = []
        for one, what in zip(batch, read, strict=True):
            if what.withdrawn and not await self._withdraw(one, what):
                continue
            done += journal.moved(one, FILES) if what.files else [journal.removed(one)]
        await self._leave(done)

    async def _withdraw(self, one: Journaled, what: Read) -> bool:
        """Take back what was withdrawn; whether that is done with.

        Where a message is not there yet, the delivery is looked at again later, and after a while
        no more: then it has never come.
        """
        withdraw = self._withdrawing
        if withdraw is None:
            return True
        settings = await self._settings()
        seat = Seat(self._store, self._project, settings, clock=self._clock)
        there = [await withdraw(seat, each) for each in what.withdrawn]
        if all(there) or one.entry.tries >= len(self._pauses):
            return True
        due = self._clock() + int(self._pauses[one.entry.tries] * 1000)
        later = replace(one.entry, tries=one.entry.tries + 1, due=due)
        await journal.revise(self._store, self._project, [journal.changed(one, later)])
        return False

    async def _failed(self, one: Journaled, error: Exception) -> None:
        """Try it again later, or no more. Where it is the store that fails, this fails, too."""
        entry = replace(one.entry, tries=one.entry.tries + 1)
        # Its words may quote a patient.
        kind = type(error).__name__
        _log.error("a delivery to %s could not be taken in: %s", entry.account, kind)
        if entry.tries > len(self._pauses):
            await self._put_aside(replace(one, entry=entry), f"it could not be taken in ({kind})")
            return
        due = self._clock() + int(self._pauses[entry.tries - 1] * 1000)
        await journal.revise(
            self._store, self._project, [journal.changed(one, replace(entry, due=due))]
        )

    async def _put_aside(self, one: Journaled, reason: str) -> None:
        await move_aside(self._store, self._project, one, reason, self._clock())
