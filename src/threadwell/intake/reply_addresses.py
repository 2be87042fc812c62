"""Addresses to which a reply is answered, each with a token that nobody can guess.

A mail to one of these belongs to the thread of the reply, whatever its program has left out. It
does not tell who writes: the sender is found as for any other mail. Tokens are private values of
the store: no resource and no log has them, as the practice's own address takes their place.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec

from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_KEY, _KIND = "reply-key", "reply-token"
_TOKEN_BYTES = 16
#: 128 bits in letters and digits that no program changes.
_ADDRESSED = re.compile(r"[^@+]+\+([a-z2-7]{26})@.+")
Item: TypeAlias = Message | Broken


class _Known(msgspec.Struct, frozen=True):
    """What a token stands for: the id of a mail that was sent, and the address that sent it."""

    channel: str
    external_id: str
    own: str


@dataclass(slots=True)
class ReplyAddresses:
    """Makes tokens and knows them again."""

    store: Store
    project: str
    key: bytes = b""

    async def token(self, external_id: str) -> str:
        """The token of the reply that has that id here: always the same one."""
        if not self.key:
            self.key = await self._kept_key()
        digest = hmac.digest(self.key, external_id.encode(), "sha256")[:_TOKEN_BYTES]
        return base64.b32encode(digest).decode().rstrip("=").lower()

    def kept(self, token: str, channel: str, external_id: str, own: Address) -> Kept:
        """What keeps the meaning of a token, from before it goes out."""
        value = msgspec.json.encode(_Known(channel, external_id, own.value))
        return Kept(_KIND, f"{self.project}/{token}", value)

    async def known(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items, each mail to such an address as one to the practice that answers the reply."""
        # Many messages go to few addresses.
        to = {one.recipients for one in items if isinstance(one, Message)}
        tokens = {token for recipients in to for token, _ in _tokens(recipients)}
        if not tokens:
            return items
        names = {f"{self.project}/{token}": token for token in tokens}
        found = await self.store.get_private_many(_KIND, list(names))
        if not found:
            return items
        known = {names[name]: msgspec.json.decode(v, type=_Known) for name, v in found.items()}
        return [_answering(one, known) if isinstance(one, Message) else one for one in items]

    async def _kept_key(self) -> bytes:
        while True:
            if key := await self.store.get_private(_KEY, self.project):
                return key
            made = Kept(_KEY, self.project, secrets.token_bytes(32), before=None)
            try:
                await self.store.commit(self.project, ChangeSet((), kept=(made,)))
            except Conflict:
                continue  # Another process has made one.


def _tokens(recipients: Iterable[Address]) -> Iterator[tuple[str, Address]]:
    for one in recipients:
        if one.kind is AddressKind.EMAIL and (found := _ADDRESSED.fullmatch(one.value)):
            yield found[1], one


def _answering(message: Message, known: dict[str, _Known]) -> Message:
    mine = {
        one.key: known[token]
        for token, one in _tokens(message.recipients)
        if token in known and known[token].channel == message.channel
    }
    if not mine:
        return message
    to = [
        Address(AddressKind.EMAIL, mine[one.key].own) if one.key in mine else one
        for one in message.recipients
    ]
    ids = [one.external_id for one in mine.values() if one.external_id != message.external_id]
    recipients = tuple({one.key: one for one in to}.values())
    own = tuple(one for one in recipients if one.value in {each.own for each in mine.values()})
    named = {one for one in (*message.references, message.in_reply_to) if one}
    if not ids or not named.isdisjoint(ids):
        return replace(message, recipients=recipients, ours=(*message.ours, *own))
    return replace(
        message,
        recipients=recipients,
        ours=(*message.ours, *own),
        references=tuple(dict.fromkeys((*ids, *message.references))),
        in_reply_to=message.in_reply_to or ids[0],
    )
