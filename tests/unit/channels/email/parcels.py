"""Writes parcels of Outlook for tests: what it calls ``winmail.dat`` (MS-OXTNEF)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Value = str | bytes | int

CODE_PAGE, CLASS, SUBJECT, BODY = 0x00069007, 0x00078008, 0x00018004, 0x0002800C
PROPERTIES, BEGINS, NAME, CONTENT, OF_FILE = (
    *(0x00069003, 0x00069002, 0x00018010),
    *(0x0006800F, 0x00069005),
)
_ITEM = bytes.fromhex("0703020000000000c000000000000046")


@dataclass
class Parcel:
    """``texts`` are in the code page; a file has its content, its short name and properties."""

    properties: Mapping[int, Value] = field(default_factory=dict)
    texts: Mapping[int, str] = field(default_factory=dict)
    files: Sequence[tuple[str, bytes | Parcel, Mapping[int, Value]]] = ()
    code_page: int = 1252
    extra: bytes = b""
    extra_count: int = 0


def packed(parcel: Parcel) -> bytes:
    """The bytes of ``winmail.dat``."""
    page = struct.pack("<II", parcel.code_page, 0)
    out = [b"\x78\x9f\x3e\x22\x01\x00", _attribute(1, 0x00089006, b"\0\0\1\0")]
    out.append(_attribute(1, CODE_PAGE, page))
    for id_, text in parcel.texts.items():
        out.append(_attribute(1, id_, text.encode(f"cp{parcel.code_page}") + b"\0"))
    own = row(parcel.properties, parcel.extra, parcel.extra_count)
    out.append(_attribute(1, PROPERTIES, own))
    for name, content, properties in parcel.files:
        out.append(_attribute(2, BEGINS, b"\1\0" + b"\xff" * 12))
        out.append(_attribute(2, NAME, name.encode(f"cp{parcel.code_page}") + b"\0"))
        if isinstance(content, Parcel):
            inner = _ITEM + packed(content)
            extra = struct.pack("<III", 0x3701000D, 1, len(inner)) + _filled(inner)
            out.append(_attribute(2, OF_FILE, row(properties, extra, 1)))
        else:
            out.append(_attribute(2, CONTENT, content))
            out.append(_attribute(2, OF_FILE, row(properties)))
    return b"".join(out)


def row(properties: Mapping[int, Value], extra: bytes = b"", count: int = 0) -> bytes:
    """Properties in a row; ``extra`` are ``count`` more that are written already."""
    out = [struct.pack("<I", len(properties) + count), extra]
    for id_, value in properties.items():
        match value:
            case int():
                out.append(struct.pack("<HHI", 0x0003, id_, value))
            case str():
                text = (value + "\0").encode("utf-16-le")
                out.append(struct.pack("<HHII", 0x001F, id_, 1, len(text)) + _filled(text))
            case bytes():
                out.append(struct.pack("<HHII", 0x0102, id_, 1, len(value)) + _filled(value))
    return b"".join(out)


def _filled(value: bytes) -> bytes:
    return value + b"\0" * (-len(value) % 4)


def _attribute(level: int, id_: int, content: bytes) -> bytes:
    head = struct.pack("<BII", level, id_, len(content))
    return head + content + struct.pack("<H", sum(content) & 0xFFFF)
