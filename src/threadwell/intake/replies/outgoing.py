"""A stored message becomes what its channel is to send, with its files and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from threadwell.channels.account import Account
from threadwell.channels.live import Live
from threadwell.channels.sending import Outbound
from threadwell.encounters.child_ids import REPLY, sent_as
from threadwell.encounters.identity import message_identity
from threadwell.encounters.said import said_in
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock
from threadwell.intake.replies.outbox import Entry
from threadwell.intake.reply_addresses import ReplyAddresses
from threadwell.messages import Attachment
from threadwell.messages.automatic import NOTES
from threadwell.stores.contract import Key, Store, Stored

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Links:
    """Where providers reach us: ``base`` is the server's URL, ``""`` where nobody has said it.

    ``file(id, version, now)`` is the URL of a version of a Binary, ``now`` in seconds since 1970.
    """

    base: str
    file: Callable[[str, str, int], str]


#: Asked whenever something is to be sent.
FindLinks: TypeAlias = Callable[[], Awaitable[Links]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Reads what is to be sent; ``tokens`` tell answers by the address that they are sent to."""

    store: Store
    project: str
    links: FindLinks
    tokens: ReplyAddresses
    clock: Clock

    async def message(
        self, entry: Entry, body: Resource, account: Account, live: Live
    ) -> Outbound | str:
        """What is to be sent of a Communication, or why it cannot be; raises ``StoreError``."""
        said = said_in(body, entry.thread)
        if said is None:
            return "its message is no longer one that can be sent"
        links = await self.links()
        parts = [
            part["contentAttachment"]
            for part in body.get("payload") or ()
            if part.get("contentAttachment")
        ]
        binaries = [
            Key("Binary", str(one["url"]).removeprefix("Binary/")) for one in parts if "url" in one
        ]
        if binaries and not links.base and not live.attaches:
            return "its files cannot be fetched: say where the server is reached (--base-url)"
        there = await self.store.read_many(self.project, binaries) if binaries else {}
        files = [_present(there.get(key)) for key in binaries]
        if None in files:
            return "a file of it is gone"
        attached = []
        if live.attaches:
            named = [one for one in parts if "url" in one]
            for one, file in zip(named, filter(None, files), strict=True):
                attached.append(await self._attached(one, file))
        seconds = self.clock() // 1000
        hook = f"{links.base}/hooks/{account.name}" if links.base.startswith("https:") else ""
        return Outbound(
            entry.external_id,
            said.sender,
            said.recipients,
            entry.thread,
            said.text,
            datetime.fromtimestamp((entry.since or self.clock()) / 1000, UTC),
            ()
            if attached
            else tuple(links.file(one.id, one.version_id, seconds) for one in files if one),
            account.url or hook,
            await self._known_as(entry.channel, said.in_reply_to),
            said.subject,
            said.references,
            _EPOCH + timedelta(microseconds=said.sent),
            tuple(attached),
            await self.tokens.token(entry.external_id) if live.attaches else "",
            not NOTES.isdisjoint(said.notes),
        )

    async def _known_as(self, channel: str, external_id: str) -> str:
        """By which id its provider knows a message, ``""`` where it does not."""
        if not external_id.startswith(REPLY):
            return external_id
        id_ = message_identity(channel, external_id).id
        stored = await self.store.read(self.project, "Communication", id_)
        ids = sent_as(decode(stored.body)) if stored and not stored.deleted else []
        return ids[0] if ids else ""

    async def _attached(self, part: Resource, file: Stored) -> Attachment:
        content = await self.store.content(self.project, file.id, file.version_id)
        type_ = str(part.get("contentType", ""))
        return Attachment(str(part.get("title", "")), type_, content or b"")


def _present(stored: Stored | None) -> Stored | None:
    return None if stored is None or stored.deleted else stored
