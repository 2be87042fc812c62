"""Reads mbox files, single mails and Maildirs; holds one mail at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from threadwell.channels.channel import HEAD_BYTES, Channel, ChannelKind, ReadOptions
from threadwell.channels.email.hooks.live import LIVE
from threadwell.channels.email.mail import NAME, broken, read_mail
from threadwell.channels.email.mailboxes import mailbox_of
from threadwell.channels.email.maildir import flags, is_file, is_unfinished, mails, rest
from threadwell.channels.email.mbox import is_mbox, lines_of, split
from threadwell.channels.email.outlook import data_file
from threadwell.channels.email.outlook.compound import NotAnItem, is_item, read_item
from threadwell.channels.email.outlook.letter import as_mail, why_no_mail
from threadwell.channels.email.sniffing import sniff
from threadwell.channels.email.state import Kept
from threadwell.channels.links import unfollowed
from threadwell.messages import Broken, Message

EMPTY = "is empty"
UNFINISHED = "was never delivered whole: it lies in the Maildir's tmp"
UNREADABLE = "cannot be opened"

OUTLOOK_ITEM = "application/vnd.ms-outlook"

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
        head = file.read(HEAD_BYTES)
    if head.startswith(data_file.MAGIC):
        yield from _read_data_file(path, options, moment)
    elif is_item(head, path):
        yield _read_item(path, options, moment)
    elif is_mbox(head):
        yield from _read_mbox(path, options, moment)
    else:
        yield _read_file(path, path.name, options, moment, Kept(mailbox_of(path.absolute().parent)))


#: The channel as ``threadwell.app`` lists it.
CHANNEL = Channel(
    name=NAME,
    label="E-mail",
    description="E-mail: mbox files, single mails (.eml, .msg), Maildirs, Outlook's .pst",
    sniff=sniff,
    read=read,
    rest=rest,
    zoned=True,
    kind=ChannelKind.EMAIL,
    medium="EMAILWRIT",
    live=LIVE,
)


def _read_mbox(path: Path, options: ReadOptions, now: datetime) -> Iterator[Message | Broken]:
    kept = Kept(mailbox_of(path))
    with path.open("rb") as file:
        for number, one in enumerate(split(lines_of(file)), start=1):
            source = f"{path.name}, message {number}"
            yield _read(one.raw, source, options, now, kept._replace(from_line=one.from_line))


def _read_maildir(folder: Path, options: ReadOptions, now: datetime) -> Iterator[Message | Broken]:
    mailbox = mailbox_of(folder)
    for path in mails(folder):
        source = path.relative_to(folder.parent).as_posix()
        try:
            if path.is_symlink():
                if failure := unfollowed(path, folder):
                    yield broken(b"", source, failure)
                continue
            if not is_file(path):
                yield broken(b"", source, UNREADABLE)
                continue
            unfinished = UNFINISHED if is_unfinished(path, folder) else ""
            kept = Kept(mailbox, flags(path))
            yield _read_file(path, source, options, now, kept, refused=unfinished)
        except OSError:
            yield broken(b"", source, UNREADABLE)


def _read_item(path: Path, options: ReadOptions, now: datetime) -> Message | Broken:
    """What an item of Outlook is; what has to wait, waits as Outlook wrote it."""
    if path.stat().st_size > LARGEST:
        return broken(b"", path.name, TOO_LARGE)
    kept = Kept(mailbox_of(path.absolute().parent))
    try:
        item = read_item(path)
        if refusal := why_no_mail(item):
            found: Message | Broken = broken(b"", path.name, refusal, set_aside=True)
        else:
            found = _read(as_mail(item), path.name, options, now, kept)
    except NotAnItem as error:
        found = broken(b"", path.name, str(error))
    if isinstance(found, Broken):
        found = replace(found, content=path.read_bytes(), content_type=OUTLOOK_ITEM)
    return found


def _read_data_file(path: Path, options: ReadOptions, now: datetime) -> Iterator[Message | Broken]:
    try:
        with data_file.taken_apart(path) as found:
            for one in found.mailboxes:
                for item in _read_mbox(one, options, now):
                    if isinstance(item, Broken):
                        item = replace(item, source=f"{path.name}: {item.source}")
                    yield item
            if found.left_out:
                number = f"{found.left_out:,} items of {path.name}"
                options.tell(f"left out {number}: {data_file.PROGRAM} takes them for no mails")
            if not found.whole:
                yield broken(b"", path.name, data_file.IN_PART)
    except data_file.NotTakenApart as error:
        yield broken(b"", path.name, str(error))


def _read_file(
    path: Path, source: str, options: ReadOptions, now: datetime, kept: Kept, *, refused: str = ""
) -> Message | Broken:
    if path.stat().st_size > LARGEST:
        return broken(b"", source, TOO_LARGE)
    raw = path.read_bytes()
    if not raw.strip():
        return broken(raw, source, EMPTY)
    if refused:
        return broken(raw, source, refused)
    return _read(raw, source, options, now, kept)


def _read(
    raw: bytes, source: str, options: ReadOptions, now: datetime, kept: Kept
) -> Message | Broken:
    own = {address.key for address in options.owner}
    return read_mail(raw, source, options.zone or ZoneInfo("UTC"), now, kept=kept, own=own)
