"""A backup file becomes messages, one at a time and in its order."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from threadwell.channels.android.columns import Refused
from threadwell.channels.android.identity import Identities
from threadwell.channels.android.owner import Owner
from threadwell.channels.channel import Channel, ChannelKind, ReadOptions
from threadwell.channels.sms_backup.elements import LONGEST_PIECE, Piece, parse_element, split
from threadwell.channels.sms_backup.ends import NAME
from threadwell.channels.sms_backup.message import parse_message
from threadwell.channels.text import encoding_of, text_head
from threadwell.messages import Broken, Message

_ROOT = re.compile(rb"<smses\b")
_COUNT = re.compile(rb"""<smses\b[^<>]*\bcount=["'](\d{1,12})["']""")
_END = re.compile(rb"</smses\s*>(?:\s++|<!--(?:(?!-->).)*-->)*", re.DOTALL)
_BREAKS_OFF = "the file breaks off, or goes on after its end"
_NOT_WHOLE = "the message is damaged or breaks off"
_TOO_LONG = f"a part of a message longer than {LONGEST_PIECE // 1024**2} MiB"


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file is a message backup; a backup of calls is not."""
    return re.match(r"\s*(<[?!][^>]*>\s*)*<smses\b", text_head(head)) is not None


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of the backup, in constant memory (that of its longest message)."""
    owner, ids = Owner.of(options, NAME), Identities(options.earlier_ids)
    number = expected = 0
    last = Piece(0, b"")
    with path.open("rb") as file:
        pieces = split(_in_utf8(file))
        prolog = next(pieces).content
        if not _ROOT.search(prolog):
            yield Broken(NAME, path.name, "no message backup begins here", prolog, "text/xml")
        elif count := _COUNT.search(prolog):
            expected = int(count[1])
        for last in pieces:
            if last.content.startswith(b"</"):
                break
            number += 1
            yield _read_piece(last, f"{path.name}, message {number}", owner, ids)
        last = Piece(last.offset, b"".join([last.content, *(rest.content for rest in pieces)]))
    if not last.content.startswith(b"</"):
        if number < expected:
            reason = f"the file breaks off: it announces {expected} messages, {number} are there"
            yield Broken(NAME, path.name, reason, b"")
        elif not number and _ROOT.search(prolog) and not prolog.rstrip().endswith(b"/>"):
            yield Broken(NAME, path.name, _BREAKS_OFF, prolog, "text/xml")
    elif not _END.fullmatch(last.content):
        where = f"{path.name}, byte {last.offset}"
        yield Broken(NAME, where, _BREAKS_OFF, last.content, "text/xml")


def _in_utf8(file: BinaryIO) -> BinaryIO:
    """``file`` read as UTF-8, whatever its byte order mark says that it is in."""
    encoding = encoding_of(file.read(4))
    file.seek(0)
    if encoding != "utf-16":
        return file
    return cast(BinaryIO, codecs.EncodedFile(file, "utf-8", encoding, "replace"))


def _read_piece(piece: Piece, source: str, owner: Owner, ids: Identities) -> Message | Broken:
    where = f"{source} (byte {piece.offset})"
    element = parse_element(piece.content)
    if element is None:
        reason = _TOO_LONG if len(piece.content) > LONGEST_PIECE else _NOT_WHOLE
        return Broken(NAME, where, reason, piece.content, "text/xml")
    parsed = parse_message(element, owner, ids)
    if isinstance(parsed, Refused):
        return Broken(
            NAME, where, parsed.reason, piece.content, "text/xml", set_aside=parsed.set_aside
        )
    return parsed


CHANNEL = Channel(
    name=NAME,
    label="SMS",
    description="SMS and MMS: the XML of the Android app SMS Backup & Restore",
    sniff=sniff,
    read=read,
    zoned=True,
    kind=ChannelKind.SMS,
    medium="SMSWRIT",
)
