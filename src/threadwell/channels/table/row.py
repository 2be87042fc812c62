"""One row of a table becomes one message, or the reason why it is none."""

from __future__ import annotations

import mimetypes
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.alike import Alike
from threadwell.channels.channel import ReadOptions
from threadwell.channels.links import is_inside
from threadwell.channels.localtime import to_instant
from threadwell.channels.table.cleaning import Refused, Row, clean
from threadwell.channels.table.earlier import earlier_id
from threadwell.messages import (
    Address,
    AddressKind,
    Attachment,
    Message,
    parse_address,
)

NAME = "table"
#: A time before it was never written by anybody who sends messages.
_FIRST_YEAR = 1970
#: From whom to whom is remembered so many times.
_REMEMBERED = 65_536


@dataclass(slots=True)
class Table:
    """A table being read: its folder, in which the attachments lie, and what came before."""

    folder: Path
    options: ReadOptions
    alike: Alike = field(default_factory=Alike)
    _ends: dict[tuple[str, tuple[str, ...], str], _Ends] = field(default_factory=dict)

    def ends(self, row: Row, channel: str) -> _Ends:
        """From whom to whom a row goes; most rows go as others do."""
        key = (row.from_, row.to, channel)
        found = self._ends.get(key)
        if found is None:
            if len(self._ends) >= _REMEMBERED:
                self._ends.clear()
            found = self._ends[key] = _ends(*key, self.options)
        return found


class _Ends(NamedTuple):
    """The addresses of a row, and the thread that follows from them."""

    sender: Address | None
    to: tuple[Address, ...]
    recipients: tuple[Address, ...]
    thread: str


def parse_row(written: Row, table: Table) -> Message | Refused:
    """The message of the next row of a table."""
    options, folder = table.options, table.folder
    row = clean(written, options.country)
    if isinstance(row, Refused):
        return row
    channel = row.channel or NAME
    when = _sent(row.sent, options)
    if when is None:
        return Refused("sent", "no date and time as ISO 8601 writes them")
    sender, to, recipients, thread = table.ends(row, channel)
    if sender is None:
        return Refused("from", "empty")
    attachments = tuple([_attachment(name, folder) for name in row.attachments])
    if not (row.text or row.subject or attachments):
        return Refused("text", "empty")
    notes = [note for note in (when.note, row.note, *[one.note for one in attachments]) if note]
    return Message(
        channel=channel,
        external_id=row.id or _made_id(row, sender, to, when, table.alike),
        sender=sender,
        recipients=recipients,
        sent=when.time,
        text=row.text,
        new_text=row.text,
        thread_hint=row.thread or thread,
        subject=row.subject,
        references=(row.in_reply_to,) if row.in_reply_to else (),
        in_reply_to=row.in_reply_to,
        attachments=attachments,
        medium=row.medium,
        notes=tuple(notes),
        wall=None if when.written.tzinfo else when.written,
        made_id=not row.id,
        earlier_ids=(earlier_id(row, (sender, *recipients), when.time, options),)
        if options.earlier_ids and not row.id
        else (),
    )


class _Sent(NamedTuple):
    """``time`` is the instant; ``written`` without a zone where the row names none."""

    time: datetime
    note: str
    written: datetime


def _sent(text: str, options: ReadOptions) -> _Sent | None:
    if text[-4:].upper() in (" UTC", " GMT"):
        text = f"{text[:-4]}Z"
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= len("2024-05-01") or time.year < _FIRST_YEAR:
        return None
    try:
        if time.tzinfo is not None:
            instant = time.astimezone(UTC)
            return _Sent(instant, "", instant)
        return _Sent(*to_instant(time, options.zone), time)
    except OverflowError:
        return None


def _ends(from_: str, to: tuple[str, ...], channel: str, options: ReadOptions) -> _Ends:
    sender = _address(from_, channel, options.country)
    if sender is None:
        return _Ends(None, (), (), "")
    named = [_address(one, channel, options.country) for one in to]
    known = tuple([one for one in named if one is not None])
    recipients = known or options.owner[:1]
    return _Ends(sender, known, recipients, _thread((sender, *recipients), options))


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
    known = parse_address(text, country)
    if known is not None:
        return known
    return Address(AddressKind.OTHER, text if ":" in text else f"{channel}:{text}")


def _thread(people: Iterable[Address], options: ReadOptions) -> str:
    own = {one.key for one in options.owner}
    everybody = {one.key[1] for one in people}
    others = {one.key[1] for one in people if one.key not in own}
    return ",".join(sorted(others or everybody))


def _made_id(row: Row, sender: Address, to: tuple[Address, ...], when: _Sent, alike: Alike) -> str:
    """The id of a row that has none: what every export of the message has alike.

    The time as it was written, to the second: the instant may be learned better, and programs cut
    fractions. Not the files, which an export may be made without.
    """
    second = when.written.replace(microsecond=0).isoformat()
    people = (sender.key[1], *sorted(one.key[1] for one in to))
    identity = _digest(row.thread, second, row.subject, row.text, *people)
    place = alike.place(identity, when.written.microsecond)
    return identity if place == 1 else _digest(identity, str(place))


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _attachment(name: str, folder: Path) -> Attachment:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    path = attachment_path(name, folder)
    if path is None:
        return Attachment(Path(name).name, kind, None, "a file of it is not beside the table")
    return Attachment(path.name, kind, path.read_bytes())


def attachment_path(name: str, folder: Path) -> Path | None:
    """The file that a row names; ``None`` where there is none, or outside ``folder``."""
    try:
        path = folder / name
        return path if path.is_file() and is_inside(path, folder) else None
    except (ValueError, OSError):  # a name that no file can have
        return None
