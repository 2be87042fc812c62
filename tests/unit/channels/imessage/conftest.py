"""Databases of messages, made row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.imessage import CHANNEL
from threadwell.messages import Address, Broken, Message

ANA, BEN, OWN = "+12075550111", "+12075550122", "+12075550100"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECONDS = int((NOON - datetime(2001, 1, 1, tzinfo=UTC)).total_seconds())
NANOSECONDS = SECONDS * 10**9

SCHEMA = """
CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, attributedBody BLOB,
  handle_id INTEGER, service TEXT, account TEXT, date INTEGER, is_from_me INTEGER,
  item_type INTEGER, destination_caller_id TEXT, associated_message_type INTEGER,
  associated_message_guid TEXT, date_edited INTEGER, message_summary_info BLOB,
  thread_originator_guid TEXT, balloon_bundle_id TEXT, error INTEGER, is_sent INTEGER,
  is_spam INTEGER, group_action_type INTEGER, other_handle INTEGER);
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT, service TEXT);
CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, style INTEGER, chat_identifier TEXT,
  group_id TEXT, last_addressed_handle TEXT);
CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);
CREATE TABLE chat_recoverable_message_join (chat_id INTEGER, message_id INTEGER);
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);
CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY, guid TEXT, filename TEXT, transfer_name TEXT,
  mime_type TEXT, hide_attachment INTEGER);
CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);
INSERT INTO handle VALUES (1, '+12075550111', 'iMessage'), (2, '+12075550122', 'iMessage'),
  (3, 'ana@example.org', 'iMessage'), (4, '24365', 'SMS'), (5, 'urn:biz:0ff1ce', 'iMessage');
INSERT INTO chat VALUES (1, 'iMessage;-;+12075550111', 45, '+12075550111', NULL, NULL),
  (2, 'iMessage;+;chat77', 43, 'chat77', '6F3A', NULL);
INSERT INTO chat_handle_join VALUES (1, 1), (2, 1), (2, 2);
"""


class Phone:
    """A database; ``add`` puts a message into it and answers its number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = sqlite3.connect(path)
        self.database.executescript(SCHEMA)
        self._last = 0

    def add(
        self,
        text: str | None = "Hello",
        *,
        chat: int | None = 1,
        deleted: bool = False,
        **more: Any,
    ) -> int:
        self._last += 1
        row = {
            "ROWID": self._last, "guid": f"G{self._last}", "text": text, "handle_id": 1,
            "service": "iMessage", "date": NANOSECONDS + self._last * 10**9, "is_from_me": 0,
            "item_type": 0, "destination_caller_id": OWN, "associated_message_type": 0,
            "date_edited": 0, "error": 0, "is_sent": 1,
        } | more  # fmt: skip
        self.run(
            f"INSERT INTO message ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            *row.values(),
        )
        if chat is not None:
            table = "chat_recoverable_message_join" if deleted else "chat_message_join"
            self.run(f"INSERT INTO {table} VALUES (?, ?)", chat, self._last)
        return self._last

    def attach(self, message: int, filename: str, **more: Any) -> None:
        row = {"filename": filename, "transfer_name": Path(filename).name} | more
        number = self.run(
            f"INSERT INTO attachment ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            *row.values(),
        ).lastrowid
        self.run("INSERT INTO message_attachment_join VALUES (?, ?)", message, number)

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self.database.execute(sql, values)

    def read(self, owner: tuple[Address, ...] = ()) -> list[Message | Broken]:
        self.database.commit()
        return list(CHANNEL.messages(self.path, ReadOptions(None, owner)))


def typedstream(text: str, *, mutable: bool = False, end: bytes = b"\x86\x84\x02iI\x01") -> bytes:
    """The beginning of what Apple writes for a text; its length takes one, three or five bytes."""
    content = text.encode()
    size = len(content)
    if size < 0x80:
        length = bytes([size])
    else:
        width, mark = (2, b"\x81") if size < 0x8000 else (4, b"\x82")
        length = mark + size.to_bytes(width, "little")
    outer, inner = (b"NSMutableAttributedString", b"NSMutableString") if mutable else (None, None)
    above = b"\x84\x84\x08NSObject\x00\x85"
    start = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@"
    if outer and inner:
        a = b"\x84\x84\x84" + bytes([len(outer)]) + outer + b"\x00"
        b = b"\x84\x84\x12NSAttributedString\x00" + above
        c = b"\x92\x84\x84\x84" + bytes([len(inner)]) + inner + b"\x01\x84\x84\x08NSString\x01\x95"
    else:
        a, b = b"\x84\x84\x84\x12NSAttributedString\x00", above
        c = b"\x92\x84\x84\x84\x08NSString\x01\x94"
    return start + a + b + c + b"\x84\x01+" + length + content + end


@pytest.fixture
def phone(tmp_path: Path) -> Phone:
    return Phone(tmp_path / "chat.db")


def sound(items: list[Message | Broken]) -> list[Message]:
    out = [item for item in items if isinstance(item, Message)]
    assert len(out) == len(items), [item for item in items if isinstance(item, Broken)]
    return out


Read = Callable[..., list[Message | Broken]]
