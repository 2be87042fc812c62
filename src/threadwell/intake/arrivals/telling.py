"""Puts what providers have told of sent messages on these, whichever comes first.

A message that is not there yet is looked for again after growing pauses: it may be on its way, or
come with a log of the provider's a week later. Whoever writes it at the same time wins, and the
state is put on what they have written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from threadwell.encounters import codes
from threadwell.encounters.delivery import READ, Delivery, ids_of, with_delivery
from threadwell.encounters.times import microseconds
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.arrivals.statuses import Sent, Untold, sent_states, together, untold
from threadwell.intake.commits.batch import Batch
from threadwell.intake.paging import search_all
from threadwell.intake.patience import Contended
from threadwell.intake.receipts.marking import BadReceipt, mark_read
from threadwell.stores.contract import Conflict, Key, Store, Stored

#: Seconds until a message is looked for again, after the first time in vain, the second …
PAUSES = (0.5, 2, 10, 60, 600, *(3600,) * 24 * 40)
_BATCH = 200


class Telling:
    """Puts delivery states on messages. A state of which the message stays away is kept.

    ``meaning(channel, code)`` says what a code of a channel's provider means, ``""`` if not known.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        *,
        clock: Clock = now_ms,
        pauses: Sequence[float] = PAUSES,
        meaning: Callable[[str, str], str] = lambda _channel, _code: "",
    ) -> None:
        self._store = store
        self._project = project
        self._clock = clock
        self._pauses = pauses
        self._meaning = meaning

    async def round(self) -> float | None:
        """Put on what is due; the seconds until something else is, ``None`` where nothing waits.

        Raises ``StoreError``, and ``Conflict`` where others keep writing to the same messages.
        """
        while some := await untold(self._store, self._project, _BATCH):
            now = self._clock()
            due = [one for one in some if one.due <= now]
            if not due:
                return (some[0].due - now) / 1000
            try:
                await self._tell(due, now)
            except Conflict:
                for one in due:
                    await self._tell([one], now)
        return None

    async def _tell(self, due: Sequence[Untold], now: int) -> None:
        wanted = {(one.channel, one.external_id) for one in due}
        found = await self._found(wanted)
        ids = {one for _, known in found for one in known}
        states = await sent_states(self._store, self._project, ids)
        batch = Batch(updated=now)
        for stored, known in found:
            told = [states[one] for one in known if one in states]
            if told:
                delivery = _delivery(together(told))
                if delivery.state == READ:
                    await self._note(decode(stored.body))
                words = (self._meaning(one, delivery.error) for one, _ in known if delivery.error)
                _put(batch, stored, delivery, next(filter(None, words), ""))
        for one in due:
            batch.keep(one.gone(self._project))
            if (one.channel, one.external_id) not in ids and one.tries < len(self._pauses):
                again = now + max(1, int(self._pauses[one.tries] * 1000))
                later = replace(one, due=again, tries=one.tries + 1)
                batch.keep(later.kept(self._project))
        await self._store.commit(self._project, batch.change_set())

    async def _note(self, message: Resource) -> None:
        """Note that those to whom a message went have read its thread up to it."""
        thread = str((message.get("partOf") or [{}])[0].get("reference", ""))
        for one in message.get("recipient") or () if thread else ():
            who, up_to = str(one.get("reference", "")), f"Communication/{message['id']}"
            with contextlib.suppress(BadReceipt, Contended):
                await mark_read(self._store, self._project, thread, who, up_to, clock=self._clock)

    async def _found(
        self, wanted: set[tuple[str, str]]
    ) -> list[tuple[Stored, list[tuple[str, str]]]]:
        """The messages of those ids, with all the ids that each is known by."""
        tokens = tuple(TokenMatch(codes.MESSAGE + channel, id_) for channel, id_ in wanted)
        query = Query("Communication", (TokenFilter("identifier", tokens),))
        return [
            (stored, ids_of(decode(stored.body)))
            async for stored in search_all(self._store, self._project, query)
        ]


def _delivery(sent: Sent) -> Delivery:
    return Delivery(sent.state, microseconds(sent.at), sent.code)


def _put(batch: Batch, stored: Stored, delivery: Delivery, words: str) -> None:
    before = decode(stored.body)
    after = with_delivery(before, delivery, words=words)
    if after != before:
        batch.write(Key(stored.type, stored.id), after, stored)
