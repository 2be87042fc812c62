"""The chats of an export, found in it without reading it whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from threadwell.channels.json_cursor import Content, Cursor, Damaged, Piece

NAME, MEDIUM = "telegram", "APPWRIT"

#: What the numbers of chats count, which they do each for itself. The ids of senders say it alike.
_KINDS = {"private_group": "chat", "private_supergroup": "channel", "public_supergroup": "channel"}
_KINDS |= {"private_channel": "channel", "public_channel": "channel"}
#: Of two people.
PRIVATE = frozenset({"personal_chat", "bot_chat"})
OF_OWNER = "saved_messages"
GROUP = "private_group"
#: The lists of an export of a whole account.
_LISTS = ("chats", "left_chats")
_TOLD = ("name", "type", "id")


@dataclass(slots=True)
class Chat:
    """One chat: what the export tells of it, and where its messages begin.

    ``owner`` is whose export it is (``user123``), ``""`` where it is that of a chat, which does not
    say so.
    """

    content: Content
    owner: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    begins: int = -1

    @property
    def kind(self) -> str:
        """Its ``type``, as Telegram calls it."""
        kind = self.told.get("type")
        return kind if isinstance(kind, str) else ""

    @property
    def name(self) -> str:
        """What it is called; ``""`` where an account was deleted."""
        name = self.told.get("name")
        return name if isinstance(name, str) else ""

    @property
    def key(self) -> str:
        """Its own name among all chats: ``user123``, ``chat45``, ``channel67``."""
        id_ = self.told.get("id")
        if isinstance(id_, int) and not isinstance(id_, bool):
            return f"{_KINDS.get(self.kind, 'user')}{id_}"
        return f"name:{self.name}"

    def pieces(self) -> Iterator[Piece]:
        """Its messages, in the order of the export; those that are damaged without a value."""
        if self.begins >= 0:
            yield from Cursor(self.content, self.begins).pieces()


def chats_of(content: Content) -> Iterator[Chat]:
    """Every chat of an export, of one or of an account.

    What is damaged outside of a list of messages ends it: a chat without messages then tells so.
    """
    cursor, single, owner, last = Cursor(content), Chat(content), "", -1
    try:
        for key in cursor.members():
            if key == "personal_information":
                owner = _owner(cursor.value())
            elif key in _LISTS:
                for inner in cursor.members():
                    if inner == "list":
                        for chat in _listed(cursor, owner):
                            last = cursor.at
                            yield chat
            else:
                _note(single, key, cursor)
    except Damaged:
        # Where messages break off with the file, they tell it themselves.
        if single.begins < 0 and last < len(content):
            yield Chat(content)
    if single.begins >= 0:
        yield single


def _listed(cursor: Cursor, owner: str) -> Iterator[Chat]:
    for _ in cursor.elements():
        chat = Chat(cursor.content, owner)
        try:
            for key in cursor.members():
                _note(chat, key, cursor)
        except Damaged:
            if chat.begins >= 0:
                yield chat
            raise
        if chat.begins >= 0:
            yield chat


def _note(chat: Chat, key: str, cursor: Cursor) -> None:
    """Take what stands at the cursor, if it tells of the chat; go past its messages."""
    if key in _TOLD:
        chat.told[key] = cursor.value()
    elif key == "messages":
        begins = cursor.at
        for _ in cursor.pieces():
            pass
        chat.begins = begins


def _owner(told: object) -> str:
    id_ = told.get("user_id") if isinstance(told, dict) else None
    return f"user{id_}" if isinstance(id_, int) and id_ > 0 else ""
