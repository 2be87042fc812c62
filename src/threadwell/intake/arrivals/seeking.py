"""Asks providers for what a delivery does not say, and hands it on to be taken in.

What was found is kept with the delivery in the same commit that puts it back into the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from threadwell.calls.call import Call, Called, Caller, CallFailed
from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.seeking import MOST_TRIES, Later, with_found
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals import journal
from threadwell.intake.arrivals.journal import ARRIVED, SOUGHT, Entry, Journaled
from threadwell.intake.arrivals.stuck import move_aside
from threadwell.stores.contract import Kept, Store

_log = logging.getLogger(__name__)

#: Seconds until it is asked for again, after the first time in vain, the second …
PAUSES = (2, 5, 15, 60, 300, 900, 3600)
#: Calls for one delivery at most.
_STEPS = 4
_AT_ONCE = 8
_NOBODY = "nobody can be asked what it does not say: its account is gone"


class Seeking:
    """Looks up what deliveries do not say; ``channels`` are those that hear, by name."""

    def __init__(
        self,
        store: Store,
        project: str,
        channels: Mapping[str, Channel],
        caller: Caller,
        *,
        clock: Clock = now_ms,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._store = store
        self._project = project
        self._channels = channels
        self._caller = caller
        self._clock = clock
        self._pauses = pauses
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def round(self) -> float | None:
        """Look up what is due; the seconds until something else is, ``None`` where nothing waits.

        Raises ``StoreError``; what was not looked up stays in the journal.
        """
        after, due = "", list[int]()
        while some := await journal.entries(self._store, self._project, SOUGHT, after=after):
            after = some[-1].name
            now = self._clock()
            known = {one.name: one for one in await accounts(self._store, self._project)}
            ready = [one for one in some if one.entry.due <= now]
            ends = await asyncio.gather(*(self._one(one, known) for one in ready))
            await journal.revise(self._store, self._project, [kept for end in ends for kept in end])
            due += [one.entry.due for one in some if one.entry.due > now]
            due += [
                now + self._pause(one.entry)
                for one, end in zip(ready, ends, strict=True)
                if len(end) == 1
            ]
        return max(0.0, (min(due) - self._clock()) / 1000) if due else None

    async def _one(self, one: Journaled, known: Mapping[str, Account]) -> list[Kept]:
        """What becomes of an entry: it is put back with what was found, or waits longer."""
        entry = one.entry
        account, channel = known.get(entry.account), self._channels.get(entry.channel)
        if account is None or channel is None or channel.live is None or channel.live.seek is None:
            await move_aside(self._store, self._project, one, _NOBODY, self._clock())
            return []
        found = await self._found(entry, account, channel)
        if isinstance(found, Later):
            _log.warning("a delivery to %s has to wait: %s", entry.account, found.reason)
            due = self._clock() + self._pause(entry)
            return [journal.changed(one, replace(entry, tries=entry.tries + 1, due=due))]
        back = replace(entry, delivery=with_found(entry.delivery, found), tries=0, due=0)
        return [journal.removed(one), Kept(ARRIVED, one.name, journal.encoded(back))]

    async def _found(self, entry: Entry, account: Account, channel: Channel) -> str | Later:
        assert channel.live is not None  # It was looked for before.
        seek = channel.live.seek
        assert seek is not None
        answers: list[Called] = []
        for _ in range(_STEPS):
            step = seek(entry.delivery, account, answers, entry.tries)
            if not isinstance(step, Call):
                return step
            try:
                async with self._turns:
                    answers.append(await self._caller.call(replace(step, hosts=account.hosts)))
            except CallFailed as error:
                if entry.tries < MOST_TRIES:
                    return Later(str(error))
                answers.append(Called(0, {}, b""))
        return Later("it takes too many calls")

    def _pause(self, entry: Entry) -> int:
        return int(self._pauses[min(entry.tries, len(self._pauses) - 1)] * 1000)
