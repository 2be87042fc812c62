"""Takes the journal in: in batches that form while one is being written, through the same intake.

What is taken in is out of the journal after its commit. A process that dies between the two takes
it in again, which changes nothing: ids are those of the provider.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals import journal
from threadwell.intake.arrivals.consents import keep_wishes
from threadwell.intake.arrivals.journal import ARRIVED, FILES, Journaled
from threadwell.intake.arrivals.reading import Read, broken, read_entry
from threadwell.intake.arrivals.settings import live_country, live_settings
from threadwell.intake.arrivals.statuses import keep_statuses
from threadwell.intake.live import Intake
from threadwell.intake.settings import BadSetting, Settings
from threadwell.stores.contract import Conflict, Kept, Store, StoreError

_log = logging.getLogger(__name__)

#: Deliveries in one batch at first and at most, and the bytes of them that are in memory together.
_FIRST, BATCH = 32, 2000
_BYTES = 32 * 1024 * 1024


class Taking:
    """Takes deliveries in; ``channels`` are those that hear, by name, ``labels`` those of all."""

    def __init__(
        self,
        store: Store,
        project: str,
        channels: Mapping[str, Channel],
        labels: Mapping[str, str],
        *,
        clock: Clock = now_ms,
    ) -> None:
        self._store = store
        self._project = project
        self._channels = channels
        self._labels = labels
        self._clock = clock
        self._intake = Intake(store, project, self._settings, clock=clock)
        self._count = _FIRST

    async def round(self) -> None:
        """Take in all that is in the journal; what comes meanwhile as well.

        Raises ``StoreError``, and ``BadSetting`` where the settings of the store make no sense:
        what is left stays in the journal.
        """
        after, taken = "", False
        while True:
            batch = await journal.entries(
                self._store, self._project, ARRIVED, after=after, count=self._count
            )
            if batch:
                await self._take(batch)
                size = sum(len(one.value) for one in batch)
                self._count = max(1, min(BATCH, _BYTES * len(batch) // max(1, size)))
                # A name tells nothing of when it came: going on from here, none waits for ever.
                after, taken = batch[-1].name, True
            elif taken:
                after, taken = "", False
            else:
                return

    async def _settings(self) -> Settings:
        return await live_settings(self._store, self._project, self._labels)

    async def _take(self, batch: Sequence[Journaled]) -> None:
        """One batch, in the order in which it was delivered."""
        country = await live_country(self._store, self._project)
        known = {one.name: one for one in await accounts(self._store, self._project)}
        ordered = sorted(batch, key=lambda one: (one.entry.delivery.received, one.name))
        read = []
        for one in ordered:
            entry = one.entry
            account = known.get(entry.account) or Account(entry.account, entry.channel)
            read.append(read_entry(entry, self._channels, account, country))
        await self._take_in(ordered, read)

    async def _take_in(self, batch: Sequence[Journaled], read: Sequence[Read]) -> None:
        """Take in what a batch holds. Of one that cannot be, each for itself."""
        try:
            await self._intake.take(item for what in read for item in what.items)
        except (StoreError, Conflict, BadSetting):
            raise
        except Exception as error:
            entry = batch[0].entry
            if len(batch) > 1:
                for one, what in zip(batch, read, strict=True):
                    await self._take_in([one], [what])
                return
            held = Read([broken(entry, "it could not be taken in")])
            if read[0] == held:
                raise
            # Its words may quote a patient.
            kind = type(error).__name__
            _log.error("a delivery to %s could not be taken in: %s", entry.account, kind)
            await self._take_in(batch, [held])
            return
        statuses = [status for what in read for status in what.statuses]
        await keep_statuses(self._store, self._project, statuses, self._clock())
        await keep_wishes(
            self._store, self._project, [wish for what in read for wish in what.wishes]
        )
        done: list[Kept] = []
        for one, what in zip(batch, read, strict=True):
            done += journal.moved(one, FILES) if what.files else [journal.removed(one)]
        await journal.revise(self._store, self._project, done)
