"""Reads mbox files, single mails and Maildirs; holds one mail at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from threadwell.channels.channel import HEAD_BYTES, Channel, ReadOptions
from threadwell.channels.email.mail import MARKED_DELETED, NAME, broken, read_mail
from threadwell.channels.email.maildir import flags, mails
from threadwell.channels.email.mbox import split
from threadwell.channels.email.sniffing import is_mbox, sniff
from threadwell.messages import Broken, Message

DRAFT = "a draft, never sent"
EMPTY = "is empty"
UNREADABLE = "cannot be opened"

#: Larger than any mail server takes; such a file is not a mail, and is not read into memory.
LARGEST = 256 * 1024 * 1024
TOO_LARGE = f"is larger than {LARGEST // 1024**2} MiB, so only its name is kept"


def read(
    path: Path, options: ReadOptions, *, now: datetime | None = None
) -> Iterator[Message | Broken]:
    """Every mail of a file or Maildir, in its order; a ``Broken`` for each that is none.

    ``now``, by default the time of the call, decides which dates lie in the future. Raises
    ``OSError`` where ``path`` itself cannot be read.
    """
    moment = now or datetime.now(UTC)
    if path.is_dir():
        yield from _read_maildir(path, options, moment)
        return
    with path.open("rb") as file:
        boxed = is_mbox(file.read(HEAD_BYTES))
    if boxed:
        yield from _read_mbox(path, options, moment)
    else:
        yield _read_file(path, path.name, options, moment)


#: The channel as ``threadwell.app`` lists it.
CHANNEL = Channel(
    name=NAME,
    description="E-mail: mbox files, single mails (.eml), Maildirs",
    sniff=sniff,
    read=read,
    zoned=True,
)


def _read_mbox(path: Path, options: ReadOptions, now: datetime) -> Iterator[Message | Broken]:
    with path.open("rb") as file:
        for number, one in enumerate(split(file), start=1):
            source = f"{path.name}, message {number}"
            yield read_mail(one.raw, source, _zone(options), now, from_line=one.from_line)


def _read_maildir(folder: Path, options: ReadOptions, now: datetime) -> Iterator[Message | Broken]:
    for path in mails(folder):
        source = path.relative_to(folder.parent).as_posix()
        try:
            yield _read_file(path, source, options, now)
        except OSError:
            yield broken(b"", source, UNREADABLE)


def _read_file(path: Path, source: str, options: ReadOptions, now: datetime) -> Message | Broken:
    if path.stat().st_size > LARGEST:
        return broken(b"", source, TOO_LARGE)
    raw = path.read_bytes()
    if not raw.strip():
        return broken(raw, source, EMPTY)
    state = flags(path)
    if "D" in state:
        return broken(raw, source, DRAFT)
    message = read_mail(raw, source, _zone(options), now)
    if "T" in state and isinstance(message, Message):
        message = replace(message, notes=(*message.notes, MARKED_DELETED))
    return message


def _zone(options: ReadOptions) -> ZoneInfo:
    return options.zone or ZoneInfo("UTC")
