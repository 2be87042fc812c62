"""Writes items of Outlook for tests: properties in a compound file (MS-CFB, version 3)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

Value = str | bytes | int | datetime
_SECTOR, _MINI, _CUTOFF, _PER_SECTOR = 512, 64, 4096, 128
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


@dataclass
class Item:
    """What an item is to say: ``ansi`` is the code page of its texts, ``0`` for Unicode."""

    properties: Mapping[int, Value] = field(default_factory=dict)
    recipients: Sequence[Mapping[int, Value]] = ()
    attachments: Sequence[Mapping[int, Value | Item]] = ()
    ansi: int = 0


def written(item: Item) -> bytes:
    """The bytes of the ``.msg`` file."""
    return _compound(_storage(item, 32))


Tree = dict[str, "bytes | Tree"]


def _storage(item: Item, header: int) -> Tree:
    own = dict(item.properties)
    if item.ansi > 1:
        own[0x3FFD] = item.ansi
    tree = _object(own, header, item.ansi)
    for at, one in enumerate(item.recipients):
        tree[f"__recip_version1.0_#{at:08X}"] = _object(one, 8, item.ansi)
    for at, one in enumerate(item.attachments):
        plain = {id_: value for id_, value in one.items() if not isinstance(value, Item)}
        attached = _object(plain, 8, item.ansi)
        for value in one.values():
            if isinstance(value, Item):
                attached["__substg1.0_3701000D"] = _storage(value, 24)
        tree[f"__attach_version1.0_#{at:08X}"] = attached
    return tree


def _object(properties: Mapping[int, Value], header: int, ansi: int) -> Tree:
    tree: Tree = {}
    entries = b"\0" * header
    for id_, value in properties.items():
        match value:
            case int():
                type_, eight = 0x0003, value.to_bytes(8, "little")
            case datetime():
                since = value - datetime(1601, 1, 1, tzinfo=UTC)
                type_, eight = 0x0040, (int(since.total_seconds()) * 10**7).to_bytes(8, "little")
            case bytes():
                type_, eight = 0x0102, len(value).to_bytes(8, "little")
                tree[f"__substg1.0_{id_:04X}0102"] = value
            case str():
                type_ = 0x001E if ansi else 0x001F
                encoded = value.encode(f"cp{ansi}" if ansi > 1 else "iso8859-15") if ansi else value
                content = encoded if isinstance(encoded, bytes) else encoded.encode("utf-16-le")
                eight = len(content).to_bytes(8, "little")
                tree[f"__substg1.0_{id_:04X}{type_:04X}"] = content
        entries += struct.pack("<HHI", type_, id_, 6) + eight
    tree["__properties_version1.0"] = entries
    return tree


def _compound(tree: Tree) -> bytes:
    sectors: list[bytes] = []
    fat: list[int] = []
    small = bytearray()
    mini_fat: list[int] = []
    entries: list[list[object]] = []

    def chain(content: bytes) -> int:
        first = len(fat)
        pieces = [content[at : at + _SECTOR] for at in range(0, len(content), _SECTOR)]
        for number, piece in enumerate(pieces):
            sectors.append(piece.ljust(_SECTOR, b"\0"))
            fat.append(first + number + 1 if number + 1 < len(pieces) else _END)
        return first if pieces else _END

    def add(name: str, node: bytes | Tree, kind: int) -> int:
        at = len(entries)
        entry: list[object] = [name, kind, _NONE, _NONE, 0, 0]
        entries.append(entry)
        if isinstance(node, bytes):
            entry[5] = len(node)
            if len(node) >= _CUTOFF:
                entry[4] = chain(node)
            elif node:
                entry[4] = len(mini_fat)
                count = -(-len(node) // _MINI)
                small.extend(node.ljust(count * _MINI, b"\0"))
                mini_fat.extend([*range(len(mini_fat) + 1, len(mini_fat) + count), _END])
            else:
                entry[4] = _END
        else:
            before = None
            for inner in sorted(node, key=lambda one: (len(one), one.upper())):
                child = add(inner, node[inner], 1 if isinstance(node[inner], dict) else 2)
                if before is None:
                    entry[3] = child
                else:
                    entries[before][2] = child
                before = child
        return at

    add("Root Entry", tree, 5)
    entries[0][4], entries[0][5] = chain(bytes(small)), len(small)
    directory = b"".join(_entry(*entry) for entry in entries)  # type: ignore[arg-type]
    directory_at = chain(directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\0"))
    packed = b"".join(number.to_bytes(4, "little") for number in mini_fat)
    mini_at = chain(packed.ljust(-(-len(packed) // _SECTOR) * _SECTOR, b"\xff"))
    fat_at, count = len(fat), 1
    while (len(fat) + count) > count * _PER_SECTOR:
        count += 1
    fat += [_FAT] * count
    table = b"".join(number.to_bytes(4, "little") for number in fat)
    table = table.ljust(count * _SECTOR, b"\xff")
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, count),
        *(directory_at, 0, _CUTOFF, mini_at, -(-len(packed) // _SECTOR), _END, 0),
        fat_at,
    )
    places = b"".join((fat_at + at).to_bytes(4, "little") for at in range(1, count))
    return header + places.ljust(_SECTOR - len(header), b"\xff") + b"".join(sectors) + table


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    coded = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        *(coded, len(coded) + 2, kind, 1, _NONE, right, child, b"", 0, 0, 0, start, size),
    )
