"""Who is in a chat, and who was when a message was written."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from threadwell.channels.imessage.database import columns_of
from threadwell.messages import Address, AddressKind, parse_address

NAME = "imessage"
_GROUP = 43
#: ``item_type`` and ``group_action_type`` of those rows that tell who came and went.
_CAME, _WENT, _LEFT = (1, 0), (1, 1), (3, 0)


@dataclass(slots=True)
class Chat:
    """The others of a chat as it is now, what it is known by, and who came and went, and when."""

    key: str
    group: bool
    members: list[int] = field(default_factory=list)
    last_own: str = ""
    changes: list[tuple[int, bool, int]] = field(default_factory=list)

    def members_at(self, date: int) -> list[int]:
        """The handles of those who were in it then: what came later is taken back."""
        there = dict.fromkeys(self.members)
        for when, came, handle in reversed(self.changes):
            if when <= date:
                break
            if came:
                there.pop(handle, None)
            else:
                there[handle] = None
        return list(there)


@dataclass(slots=True)
class Chats:
    """All chats and handles of a database, by their numbers."""

    by_number: dict[int, Chat]
    handles: dict[int, Address]

    @classmethod
    def of(cls, database: sqlite3.Connection, country: str) -> Chats:
        """Raises ``FAILURES`` where the database is damaged."""
        handles = {
            number: address_of(text, country)
            for number, text in database.execute("SELECT ROWID, id FROM handle")
            if isinstance(text, str) and text.strip()
        }
        has = columns_of(database, "chat")
        names = ("guid", "group_id", "chat_identifier", "style", "last_addressed_handle")
        chosen = ", ".join(name if name in has else "NULL" for name in names)
        chats: dict[int, Chat] = {}
        for number, guid, group, identifier, style, own in database.execute(
            f"SELECT ROWID, {chosen} FROM chat"  # noqa: S608
        ):
            known = next((one for one in (group, identifier, guid) if isinstance(one, str)), "")
            key = known.rpartition(";")[2] or str(number)
            chats[number] = Chat(key, style == _GROUP, last_own=own if isinstance(own, str) else "")
        out = cls(chats, handles)
        out._fill(database)
        return out

    def _fill(self, database: sqlite3.Connection) -> None:
        if columns_of(database, "chat_handle_join") >= {"chat_id", "handle_id"}:
            for chat, handle in database.execute(
                "SELECT chat_id, handle_id FROM chat_handle_join ORDER BY chat_id, handle_id"
            ):
                if chat in self.by_number and handle in self.handles:
                    self.by_number[chat].members.append(handle)
        for chat in self.by_number.values():
            chat.group = chat.group or len(chat.members) > 1
        needed = {"item_type", "group_action_type", "other_handle", "handle_id", "date"}
        if not columns_of(database, "message") >= needed:
            return
        for number, date, item, action, other, handle in database.execute(
            "SELECT j.chat_id, m.date, m.item_type, m.group_action_type, m.other_handle, "
            "m.handle_id FROM message m JOIN chat_message_join j ON j.message_id = m.ROWID "
            "WHERE m.item_type IN (1, 3) AND typeof(m.date) = 'integer' ORDER BY m.date"
        ):
            change = (item, action)
            who = handle if change == _LEFT else other
            if change in (_CAME, _WENT, _LEFT) and number in self.by_number and who in self.handles:
                self.by_number[number].changes.append((date, change == _CAME, who))


def address_of(handle: str, country: str) -> Address:
    """The number or mail address that a handle is; a business or a named sender is neither."""
    bare = handle.strip()
    return parse_address(bare, country) or Address(AddressKind.OTHER, f"{NAME}:{bare}")
