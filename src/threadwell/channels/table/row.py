"""One row of a table becomes one message, or the reason why it is none."""

from __future__ import annotations

import mimetypes
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.channel import ReadOptions
from threadwell.channels.localtime import to_instant
from threadwell.messages import (
    Address,
    AddressKind,
    Attachment,
    Message,
    parse_email,
    parse_phone,
)

NAME = "table"

#: Every column, in the order of the documentation.
COLUMNS = (
    "id",
    "thread",
    "sent",
    "from",
    "to",
    "text",
    "subject",
    "channel",
    "medium",
    "in_reply_to",
    "attachments",
)
#: Without these a file is no table of messages.
REQUIRED = frozenset({"sent", "from", "text"})


class Refused(NamedTuple):
    """Which column makes a row no message, and why, without any of its content.

    ``column`` is empty where it is the row as a whole.
    """

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row, as both forms of the file give it; what is not there is empty."""

    sent: str
    from_: str
    text: str
    to: tuple[str, ...] = ()
    id: str = ""
    thread: str = ""
    subject: str = ""
    channel: str = ""
    medium: str = ""
    in_reply_to: str = ""
    attachments: tuple[str, ...] = ()


def parse_row(row: Row, folder: Path, options: ReadOptions) -> Message | Refused:
    """The message of a row. Attachments are paths relative to ``folder``, and lie within it."""
    channel = row.channel or NAME
    when = _sent(row.sent, options)
    if when is None:
        return Refused("sent", "no date and time as ISO 8601 writes them")
    sender = _address(row.from_, channel, options.country)
    if sender is None:
        return Refused("from", "empty")
    named = (_address(one, channel, options.country) for one in row.to)
    recipients = tuple(one for one in named if one is not None) or options.owner[:1]
    attachments = tuple(_attachment(name, folder) for name in row.attachments)
    if not (row.text or row.subject or attachments):
        return Refused("text", "empty")
    thread = row.thread or _thread((sender, *recipients), options)
    notes = [note for note in (when.note, *(one.note for one in attachments)) if note]
    return Message(
        channel=channel,
        external_id=row.id or _derived_id(row, sender, thread, when.time),
        sender=sender,
        recipients=recipients,
        sent=when.time,
        text=row.text,
        new_text=row.text,
        thread_hint=thread,
        subject=row.subject,
        references=(row.in_reply_to,) if row.in_reply_to else (),
        in_reply_to=row.in_reply_to,
        attachments=attachments,
        medium=row.medium,
        notes=tuple(notes),
    )


class _Sent(NamedTuple):
    time: datetime
    note: str


def _sent(text: str, options: ReadOptions) -> _Sent | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= len("2024-05-01"):
        return None
    try:
        if time.tzinfo is not None:
            return _Sent(time.astimezone(UTC), "")
        return _Sent(*to_instant(time, options.zone))
    except OverflowError:
        return None


@lru_cache(maxsize=65_536)
def _address(text: str, channel: str, country: str) -> Address | None:
    """``Ana Prado <+15550100>``, a phone, a mail address, or a name that the channel knows."""
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        return None
    if text.endswith(">") and "<" in text:
        display, _, inner = text[:-1].rpartition("<")
        found = _address(inner, channel, country)
        return found._replace(display=display.strip().strip('"')) if found else None
    known = parse_email(text) if "@" in text else parse_phone(text, country)
    if known is not None:
        return known
    return Address(AddressKind.OTHER, text if ":" in text else f"{channel}:{text}")


def _thread(people: Iterable[Address], options: ReadOptions) -> str:
    own = {one.key for one in options.owner}
    everybody = {one.value for one in people}
    others = {one.value for one in people if one.key not in own}
    return ",".join(sorted(others or everybody))


def _derived_id(row: Row, sender: Address, thread: str, sent: datetime) -> str:
    identity = (thread, sender.value, sent.isoformat(), row.subject, row.text, *row.attachments)
    return sha256("\x1f".join(identity).encode("utf-8", "replace")).hexdigest()[:32]


def _attachment(name: str, folder: Path) -> Attachment:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    path = attachment_path(name, folder)
    if path is None:
        return Attachment(Path(name).name, kind, None, "a file of it is not beside the table")
    return Attachment(path.name, kind, path.read_bytes())


def attachment_path(name: str, folder: Path) -> Path | None:
    """The file that a row names; ``None`` where there is none, or outside ``folder``."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (ValueError, OSError):  # a name that no file can have
        return None
