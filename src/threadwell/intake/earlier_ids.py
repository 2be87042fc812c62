"""Messages that a store has under ids, or with words, which earlier builds made of them.

What an id is made of has changed as more was learned about what of a message is stable. A message
that a store has under an earlier one keeps it, wherever it is: placed, or held. So does one that
has words which nobody saw, as earlier builds did not know of all ways to hide words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from threadwell.encounters.copies import Own, fingerprint, same_words
from threadwell.encounters.identity import message_identity
from threadwell.encounters.people import addresses_of
from threadwell.encounters.said import said, said_in
from threadwell.fhir.json import decode
from threadwell.intake.held.hold import former_held_id, message_held_id
from threadwell.messages import AddressKind, Broken, Message, looks
from threadwell.stores.contract import Key, Stored

Current: TypeAlias = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]
Item: TypeAlias = Message | Broken

#: What no earlier build has noted.
_OF_LOOKS = (looks.NOTE, looks.HID)


@dataclass(slots=True)
class EarlierIds:
    """Those of one run; ``current`` answers what is stored or on its way.

    ``taken`` tells which message has each of them that was found: earlier builds made the same id
    of messages that are several now, such as mails without a Message-ID to two people.
    """

    own: Own
    current: Current
    taken: dict[tuple[str, str], str] = field(default_factory=dict)

    async def known(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items, each message as the store has it."""
        if any(isinstance(one, Message) and one.earlier_words for one in items):
            items = await self._with_words(items)
        if not any(isinstance(one, Message) and one.earlier_ids for one in items):
            return items
        keys: dict[Key, None] = {}
        for one in items:
            if isinstance(one, Message) and one.earlier_ids:
                for id_ in (one.external_id, *one.earlier_ids):
                    keys.update(dict.fromkeys(_keys(one, id_)))
        there = await self.current(list(keys))
        return [
            self._known(one, there) if isinstance(one, Message) and one.earlier_ids else one
            for one in items
        ]

    async def _with_words(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items, each with the words that an earlier build read if the store has it so."""
        read = {
            at: one
            for at, one in enumerate(items)
            if isinstance(one, Message) and one.earlier_words
        }
        before = {
            at: replace(
                one,
                text=one.earlier_words[0],
                new_text=one.earlier_words[1],
                notes=tuple([note for note in one.notes if note not in _OF_LOOKS]),
            )
            for at, one in read.items()
        }
        keys = {
            at: [
                Key("Task", message_held_id(one)),
                Key("Communication", _apart(one)),
                *(key for id_ in (one.external_id, *one.earlier_ids) for key in _keys(one, id_)),
            ]
            for at, one in before.items()
        }
        there = await self.current([key for those in keys.values() for key in those])
        out = list(items)
        for at, one in before.items():
            task, *others = keys[at]
            # What can be completed by looks is; words that nobody saw cannot be taken off.
            hid = looks.HID in read[at].notes
            placed = [there[key] for key in others if key.type == "Communication" and key in there]
            is_so = task in there or (hid and any(_says(stored, one) for stored in placed))
            out[at] = replace(one if is_so else read[at], earlier_words=())
        return out

    def _known(self, message: Message, there: dict[Key, Stored]) -> Message:
        now = message.external_id
        found = now
        if not any(key in there for key in _keys(message, now)):
            for id_ in message.earlier_ids:
                if self._is_under(id_, message, there):
                    self.taken[message.channel, id_] = now
                    found = id_
                    break
        return replace(message, external_id=found, earlier_ids=())

    def _is_under(self, id_: str, message: Message, there: dict[Key, Stored]) -> bool:
        child, task = _keys(message, id_)
        if self.taken.get((message.channel, id_), message.external_id) != message.external_id:
            return False
        return task in there or (child in there and self._is_to_them(there[child], message))

    def _is_to_them(self, stored: Stored, message: Message) -> bool:
        """Whether a stored message went to one of the people that this one goes to.

        The practice is left out, unless nobody else is among them.
        """
        if stored.deleted:
            return True
        to = decode(stored.body).get("recipient") or ()
        before = self._others(address.key for one in to for address in addresses_of(one))
        now = self._others(one.key for one in message.recipients)
        return not (before and now) or not before.isdisjoint(now)

    def _others(self, keys: Iterable[tuple[AddressKind, str]]) -> set[tuple[AddressKind, str]]:
        return {key for key in keys if key not in self.own}


def _apart(message: Message) -> str:
    """The id of a message to whose external id another one has come."""
    apart = fingerprint(said(message))
    return message_identity(message.channel, message.external_id, apart).id


def _says(stored: Stored, message: Message) -> bool:
    """Whether a stored message has those words."""
    words = said_in(decode(stored.body), message.thread_hint) if not stored.deleted else None
    return words is not None and same_words(words, said(message))


def _keys(message: Message, id_: str) -> tuple[Key, Key]:
    """Where a message of that id stands if it has a place, and if it is held."""
    child = message_identity(message.channel, id_).id
    return Key("Communication", child), Key("Task", former_held_id(message, id_))
