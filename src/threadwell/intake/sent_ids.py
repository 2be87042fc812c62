"""Messages that were written here, met again under the id that their provider has given to them.

A reply has an identity of ours first. Once it was sent, its provider's id is a second identifier of
its Communication, by which a log of the provider's finds it: there is one message, not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of, sent_as
from threadwell.encounters.said import Said, said_in
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.paging import chunks, search_all
from threadwell.messages import Broken, Message
from threadwell.stores.contract import Kept, Store

_KIND = "replied"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
            _as_written(one, *found[one.channel, one.external_id])
            if isinstance(one, Message) and (one.channel, one.external_id) in found
            else one
            for one in items
        ]

    async def _has_replies(self) -> bool:
        if not self.has_replies:
            self.has_replies = await self.store.get_private(_KIND, self.project) is not None
        return self.has_replies

    async def _found(
        self, ids: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[str, Said | None]]:
        """The ids that messages have here, by channel and the ids of their provider.

        With each is what the message says.
        """
        out: dict[tuple[str, str], tuple[str, Said | None]] = {}
        for some in chunks(ids):
            tokens = tuple(TokenMatch(codes.MESSAGE + channel, id_) for channel, id_ in some)
            query = Query("Communication", (TokenFilter("identifier", tokens),))
            async for stored in search_all(self.store, self.project, query):
                body = decode(stored.body)
                if own := own_of(body):
                    here = own.external_id, said_in(body, "")
                    out.update({(own.channel, id_): here for id_ in sent_as(body)})
        return out


def _as_written(message: Message, external_id: str, said: Said | None) -> Message:
    """A message under the id that it has here.

    A mail that comes back says what was written, whatever a list or a mail server has made of it:
    a mark before the subject, a footer, other recipients.
    """
    if said is None or message.thread_hint:
        return replace(message, external_id=external_id)
    return replace(
        message,
        external_id=external_id,
        made_id=True,
        recipients=said.recipients,
        sent=_EPOCH + timedelta(microseconds=said.sent),
        received=None,
        subject=said.subject,
        text=said.text,
        new_text=said.new_text,
        references=said.references,
        in_reply_to=said.in_reply_to,
        medium=said.medium,
        attachments=(),
        notes=(),
        wall=None,
        on_arrival=False,
    )
