"""Messages that were written here, met again under the id that their provider has given to them.

A reply has an identity of ours first. Once it was sent, its provider's id is a second identifier of
its Communication, by which a log of the provider's finds it: there is one message, not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from threadwell.encounters import codes
from threadwell.encounters.child import own_of, sent_as
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query, TokenFilter, TokenMatch
from threadwell.intake.paging import chunks, search_all
from threadwell.messages import Broken, Message
from threadwell.stores.contract import Kept, Store

_KIND = "replied"
Item: TypeAlias = Message | Broken


def replied(project: str) -> Kept:
    """What tells, from the first reply on, that messages have to be looked for by such ids."""
    return Kept(_KIND, project, b"1")


@dataclass(slots=True)
class SentIds:
    """Finds them. ``has_replies`` once there is one: it is asked of each batch until then."""

    store: Store
    project: str
    has_replies: bool = False

    async def known(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items, each message that was written here under the id that it has here."""
        wanted = {
            (one.channel, one.external_id): at
            for at, one in enumerate(items)
            # Whoever is no address of the practice's has written nothing here.
            if isinstance(one, Message) and not one.author and one.sender in one.ours
        }
        if not wanted or not await self._has_replies():
            return items
        found = await self._found(list(wanted))
        return [
            replace(one, external_id=found[one.channel, one.external_id])
            if isinstance(one, Message) and (one.channel, one.external_id) in found
            else one
            for one in items
        ]

    async def _has_replies(self) -> bool:
        if not self.has_replies:
            self.has_replies = await self.store.get_private(_KIND, self.project) is not None
        return self.has_replies

    async def _found(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The ids that messages have here, by channel and the ids of their provider."""
        out: dict[tuple[str, str], str] = {}
        for some in chunks(ids):
            tokens = tuple(TokenMatch(codes.MESSAGE + channel, id_) for channel, id_ in some)
            query = Query("Communication", (TokenFilter("identifier", tokens),))
            async for stored in search_all(self.store, self.project, query):
                body = decode(stored.body)
                if own := own_of(body):
                    out.update({(own.channel, id_): own.external_id for id_ in sent_as(body)})
        return out
