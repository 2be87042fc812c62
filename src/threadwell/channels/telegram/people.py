"""Who is in a chat, and whose export it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from threadwell.channels.channel import ReadOptions
from threadwell.channels.presence import Presence
from threadwell.channels.telegram.chats import NAME, PRIVATE, Chat
from threadwell.messages import Address, AddressKind

_ID = re.compile(r"(?:user|chat|channel)\d{1,20}", re.ASCII)
_CAME_BY_THEMSELVES = frozenset({"join_group_by_link", "join_group_by_request"})
_BROUGHT, _TAKEN_OUT = "invite_members", "remove_members"

_OWNER = Address(AddressKind.OTHER, f"{NAME}:owner")


@dataclass(slots=True)
class People:
    """The people of one chat by Telegram's ids of them, of which none changes.

    ``owner`` is the id of whose export it is, ``""`` where nothing says so.
    """

    chat: Chat
    options: ReadOptions
    owner: str = ""
    presence: Presence[int] = field(default_factory=Presence)
    _moves: list[tuple[int, str, str]] = field(default_factory=list)

    def note(self, record: Mapping[str, Any], place: int) -> None:
        """Learn from a record, which stands at that place of the chat."""
        if record.get("type") == "service":
            self._note_move(record, place)
            return
        sender = sender_id(record)
        if sender:
            name = record.get("from")
            known = self.presence.people.get(sender)
            if known is None or (isinstance(name, str) and name):
                self.presence.people[sender] = _address(sender, name)

    def settle(self) -> None:
        """What can be said once the whole chat was seen: whose export it is, who came and left."""
        people, other = self.presence.people, self._other()
        self.owner = self.chat.owner
        if other:
            people.setdefault(other, _address(other, self.chat.name))
            self.owner = self.owner or next((one for one in people if one != other), "")
        own = {one.key: one for one in self.options.owner}
        if self.owner or other:
            stated = people.get(self.owner, _address(self.owner, None))
            people[self.owner] = own.get(stated.key) or self.practice[0]
        called: dict[str, list[str]] = {}
        for id_, address in people.items():
            called.setdefault(address.display, []).append(id_)
        for place, name, action in self._moves:
            ids = [name] if name in people else called.get(name, [])
            if len(ids) == 1:
                self.presence.move(place, ids[0], came=action != _TAKEN_OUT)

    @property
    def practice(self) -> tuple[Address, ...]:
        """The practice, which is there wherever nobody else is known to be."""
        return self.options.owner[:1] or (_OWNER,)

    def address(self, id_: str) -> Address:
        """The address of somebody who has written."""
        return self.presence.people[id_]

    def _other(self) -> str:
        """Who a chat of two is with, other than whose export it is; ``""`` of any other chat."""
        if self.chat.kind not in PRIVATE:
            return ""
        if not self.chat.key.startswith("name:"):
            return self.chat.key
        people = self.presence.people.items()
        return next((id_ for id_, one in people if one.display == self.chat.name), "")

    def _note_move(self, record: Mapping[str, Any], place: int) -> None:
        action, actor = record.get("action"), record.get("actor_id")
        if action in _CAME_BY_THEMSELVES and isinstance(actor, str):
            self._moves.append((place, actor, str(action)))
        elif action in (_BROUGHT, _TAKEN_OUT):
            members = record.get("members")
            for name in members if isinstance(members, list) else ():
                if isinstance(name, str) and name:
                    self._moves.append((place, name, str(action)))


def sender_id(record: Mapping[str, Any]) -> str:
    """Who wrote a record, by Telegram's id; by name where it has none; ``""`` if it names nobody.

    Of before 2021 an id is a number.
    """
    id_, name = record.get("from_id"), record.get("from")
    if isinstance(id_, str) and _ID.fullmatch(id_):
        return id_
    if isinstance(id_, int) and not isinstance(id_, bool) and id_ > 0:
        return f"user{id_}"
    return name.strip() if isinstance(name, str) else ""


def _address(id_: str, name: object) -> Address:
    return Address(
        AddressKind.OTHER, f"{NAME}:{id_}", name.strip() if isinstance(name, str) else ""
    )
