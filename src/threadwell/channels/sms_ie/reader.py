"""An export becomes messages, one record at a time and in its order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.android.columns import Refused
from threadwell.channels.android.identity import Identities
from threadwell.channels.android.owner import Owner
from threadwell.channels.channel import Channel, ChannelKind, ReadOptions
from threadwell.channels.sms_ie.message import Media, parse_message
from threadwell.channels.sms_ie.people import NAME, Phone
from threadwell.channels.sms_ie.records import Record, read_records
from threadwell.channels.text import text_head
from threadwell.messages import Broken, Message

_DATA = "data"
_NOT_WHOLE = "the record is damaged or breaks off"
#: How an export begins that the app has encrypted.
_ENCRYPTED = b"SSEF\x00\xff"
_NEEDS_OPENING = (
    "an export that SMS Import / Export has encrypted: import it into the app with its passphrase "
    "and export it without, or decrypt it with the program that the app's makers offer"
)
#: The columns by which a record is known, as its keys.
_KEYS = {
    name: re.compile(rf'"{name}"[ \t\r\n]{{0,8}}:')
    for name in ("thread_id", "date", "msg_box", "address", "body", "type")
}


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file begins with a record of Android's messages; one of calls is none."""
    text = text_head(head).lstrip("\ufeff\r\n\t ")
    if not text.startswith(("{", "[")):
        return False
    first = text.partition("\n")[0] if text.startswith("{") else text
    has = {name for name, key in _KEYS.items() if key.search(first)}
    if not {"thread_id", "date"} <= has:
        return False
    return "msg_box" in has or ("type" in has and not has.isdisjoint({"address", "body"}))


def nearly(head: bytes, _path: Path) -> str:
    """What is needed to read an encrypted export."""
    return _NEEDS_OPENING if head.startswith(_ENCRYPTED) else ""


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of the export, in constant memory (that of its longest record)."""
    phone = Phone.of(_mms(path), Owner.of(options, NAME))
    ids, media = Identities(), Media(path.parent / _DATA)
    for number, (content, record) in enumerate(read_records(path), start=1):
        parsed = parse_message(record, phone, ids, media) if record else Refused(_NOT_WHOLE)
        if isinstance(parsed, Message):
            yield parsed
        else:
            where = f"{path.name}, record {number}"
            yield Broken(NAME, where, parsed.reason, content, "application/json", parsed.set_aside)


def companions(path: Path) -> Iterator[Path]:
    """The files of parts that lie beside the records."""
    media = Media(path.parent / _DATA)
    if media.folder.is_dir():
        for record in _mms(path):
            yield from filter(None, map(media.file_of, record.parts))


def _mms(path: Path) -> Iterator[Record]:
    """The records of MMS alone; those of SMS, most of an export, are passed over unread."""
    for _, record in read_records(path, b'"msg_box"'):
        if record is not None and record.mms:
            yield record


CHANNEL = Channel(
    name=NAME,
    label="SMS Import/Export",
    description="SMS and MMS: the export of the Android app SMS Import / Export",
    sniff=sniff,
    read=read,
    companions=companions,
    nearly=nearly,
    zoned=True,
    kind=ChannelKind.SMS,
    medium="SMSWRIT",
)
