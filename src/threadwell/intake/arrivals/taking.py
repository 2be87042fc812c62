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
from threadwell.intake.arrivals.reading import Read, read_entry
from threadwell.intake.arrivals.settings import live_settings
from threadwell.intake.arrivals.statuses import keep_statuses
from threadwell.intake.commits.counts import Report
from threadwell.intake.importing import import_messages
from threadwell.stores.contract import Kept, Store

_log = logging.getLogger(__name__)

#: Deliveries in one batch.
BATCH = 500


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

    async def round(self) -> None:
        """Take in all that is in the journal; what comes meanwhile as well.

        Raises ``StoreError``, and ``BadSetting`` where the settings of the store make no sense:
        what is left stays in the journal.
        """
        while batch := await journal.entries(self._store, self._project, ARRIVED, count=BATCH):
            await self._take(batch)

    async def _take(self, batch: Sequence[Journaled]) -> Report:
        """One batch, in the order in which it was delivered."""
        ordered = sorted(batch, key=lambda one: (one.entry.delivery.received, one.name))
        settings = await live_settings(self._store, self._project, self._labels)
        known = {one.name: one for one in await accounts(self._store, self._project)}
        read: list[Read] = []
        done: list[Kept] = []
        for one in ordered:
            entry = one.entry
            account = known.get(entry.account) or Account(entry.account, entry.channel)
            what = read_entry(entry, self._channels, account, settings.country)
            read.append(what)
            done += journal.moved(one, FILES) if what.files else [journal.removed(one)]
        items = [item for what in read for item in what.items]
        report = await import_messages(
            self._store, self._project, items, settings, clock=self._clock
        )
        await keep_statuses(
            self._store, self._project, [status for what in read for status in what.statuses]
        )
        await keep_wishes(
            self._store, self._project, [wish for what in read for wish in what.wishes]
        )
        await journal.revise(self._store, self._project, done)
        return report
