"""A database becomes messages, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.imessage.chats import NAME, Chats
from threadwell.channels.imessage.database import FAILURES, is_encrypted, is_store, opened
from threadwell.channels.imessage.files import found
from threadwell.channels.imessage.message import Phone, parse_row, row_as_json
from threadwell.channels.imessage.rows import read_rows
from threadwell.messages import Broken, Message

_DAMAGED = "the database is damaged: what follows in it could not be read"
_UNREADABLE = "a file of it cannot be opened"
_NEEDS_OPENING = (
    "the messages of an iPhone, in a backup that is encrypted: decrypt the backup with its "
    "password first, or make one without encryption"
)


def nearly(head: bytes, path: Path) -> str:
    """What is needed to read an encrypted backup."""
    return _NEEDS_OPENING if is_encrypted(head, path) else ""


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of the database, in the order in which it came to it.

    What the system itself notes in a chat (who came, that it was renamed) is no message and is left
    out.
    """
    try:
        with opened(path) as database:
            phone = Phone(path, Chats.of(database, options.country), options)
            for row in read_rows(database):
                where = f"{path.name}, message {row.number}"
                try:
                    found = list(parse_row(row, phone))
                except OSError:
                    yield Broken(NAME, where, _UNREADABLE, row_as_json(row), "application/json")
                    continue
                for parsed in found:
                    if isinstance(parsed, Message):
                        yield parsed
                    elif not parsed.notice:
                        content = row_as_json(row)
                        reason, aside = parsed.reason, parsed.set_aside
                        yield Broken(NAME, where, reason, content, "application/json", aside)
    except FAILURES:
        yield Broken(NAME, path.name, _DAMAGED, b"")


def companions(path: Path) -> Iterator[Path]:
    """The files that messages name, wherever they are."""
    try:
        with opened(path) as database:
            for row in read_rows(database):
                yield from filter(None, (found(one, path) for one in row.files))
    except FAILURES:
        return


CHANNEL = Channel(
    name=NAME,
    label="iMessage",
    description="iMessage, SMS and RCS of a Mac or iPhone: chat.db, or sms.db of a backup",
    sniff=is_store,
    read=read,
    companions=companions,
    nearly=nearly,
    zoned=True,
    medium="APPWRIT",
)
