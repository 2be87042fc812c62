"""What Outlook packs the text and the files of a mail into: ``winmail.dat`` (MS-OXTNEF).

It is a row of attributes, each with its length. What a few of them hold are properties as an item
of Outlook has them; so a parcel becomes an ``Item``, and is read on as one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from threadwell.channels.email.outlook.compound import Attached, Item, NotAnItem
from threadwell.channels.email.outlook.named_values import Values, read_values

_SIGNATURE = b"\x78\x9f\x3e\x22"
#: The signature and the key of attachments stand before the first attribute.
_HEADER = 6
#: Level, id, length; after the content follow two bytes, a sum of its own.
_ATTRIBUTE = struct.Struct("<BII")
_SUM = 2
#: Properties (MS-OXPROPS) that are attributes of their own as well.
_CLASS, _SUBJECT, _BODY, _NAME, _CONTENT, _HTML = 0x001A, 0x0037, 0x1000, 0x3704, 0x3701, 0x1013
_STRING8, _BINARY = 0x001E, 0x0102
#: An object that is a whole item has this in front, and any other object has something as long.
_IS_ITEM = bytes.fromhex("0703020000000000c000000000000046")
#: Items within items, deeper than anybody forwards them.
_DEEPEST = 20


class _Attribute(IntEnum):
    """The attributes that count (MS-OXTNEF §2.1.3)."""

    CODE_PAGE = 0x00069007
    CLASS = 0x00078008
    SUBJECT = 0x00018004
    BODY = 0x0002800C
    PROPERTIES = 0x00069003
    FILE_BEGINS = 0x00069002
    FILE_NAME = 0x00018010
    FILE_CONTENT = 0x0006800F
    FILE_PROPERTIES = 0x00069005


class Opened(NamedTuple):
    """What is in a parcel; ``whole`` says that nothing of it is missing."""

    item: Item
    whole: bool


def is_parcel(content: bytes) -> bool:
    """Whether a file is one, by how it begins."""
    return content.startswith(_SIGNATURE)


def open_parcel(content: bytes) -> Opened:
    """What is in a parcel. Raises ``NotAnItem`` where it is none."""
    return _opened(memoryview(content), 0)


@dataclass(slots=True)
class _Reading:
    """What was read so far of one parcel."""

    own: Values = field(default_factory=Values)
    files: list[Values] = field(default_factory=list)
    code_page: int = 0
    whole: bool = True

    def take(self, attribute: int, value: memoryview) -> None:
        """Note what one attribute holds; those that say nothing of text or files are left."""
        match attribute:
            case _Attribute.CODE_PAGE:
                self.code_page = int.from_bytes(value[:4], "little")
            case _Attribute.CLASS:
                # It has the names that classes had before Outlook.
                self.own.stored[_CLASS, _STRING8] = bytes(value).replace(b"Microsoft Mail.", b"")
            case _Attribute.SUBJECT:
                self.own.stored.setdefault((_SUBJECT, _STRING8), bytes(value))
            case _Attribute.BODY:
                self.own.stored.setdefault((_BODY, _STRING8), bytes(value))
            case _Attribute.PROPERTIES:
                self.whole &= read_values(value, self.own)
            case _Attribute.FILE_BEGINS:
                self.files.append(Values())
            case _Attribute.FILE_NAME if self.files:
                self.files[-1].stored[_NAME, _STRING8] = bytes(value)
            case _Attribute.FILE_CONTENT if self.files:
                self.files[-1].stored[_CONTENT, _BINARY] = bytes(value)
            case _Attribute.FILE_PROPERTIES if self.files:
                self.whole &= read_values(value, self.files[-1])


def _opened(content: memoryview, depth: int) -> Opened:
    if bytes(content[:4]) != _SIGNATURE:
        raise NotAnItem("is no parcel of Outlook")
    reading = _Reading()
    for one in _attributes(content):
        if one is None:
            reading.whole = False
        else:
            reading.take(*one)
    own = reading.own
    if (html := own.stored.get((_HTML, _STRING8))) is not None:
        own.stored.setdefault((_HTML, _BINARY), html)
    attached = []
    for file in reading.files:
        opened, whole = _attached(file, reading.code_page, depth)
        attached.append(opened)
        reading.whole &= whole
    return Opened(Item(own.as_properties(reading.code_page), (), attached), reading.whole)


def _attributes(content: memoryview) -> Iterator[tuple[int, memoryview] | None]:
    """Each attribute with what it holds; ``None`` at the end where that is missing."""
    at = _HEADER
    while at + _ATTRIBUTE.size <= len(content):
        _, attribute, length = _ATTRIBUTE.unpack_from(content, at)
        at += _ATTRIBUTE.size
        yield attribute, content[at : at + length]
        at += length + _SUM
    if at != len(content):
        yield None


def _attached(file: Values, code_page: int, depth: int) -> tuple[Attached, bool]:
    """A file, and whether the whole of it is there."""
    item, whole = None, True
    if file.object is not None:
        kind, content = bytes(file.object[:16]), file.object[16:]
        if kind == _IS_ITEM and depth < _DEEPEST and is_parcel(bytes(content[:4])):
            item, whole = _opened(content, depth + 1)
        else:
            file.stored.setdefault((_CONTENT, _BINARY), bytes(content))
    whole &= item is not None or (_CONTENT, _BINARY) in file.stored
    return Attached(file.as_properties(code_page), item), whole
