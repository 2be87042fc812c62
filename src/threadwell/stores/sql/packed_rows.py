"""Entries as PostgreSQL takes them by ``COPY`` in its binary form, list by list and each in order.

Whoever makes them needs no database: where the numbers of the project and of the resources are not
known yet, others stand in their places. What stands around the rows is not in them (``copy``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from struct import Struct, pack, unpack

from threadwell.stores.sql.entries import Entries

#: How a row begins: with its columns, four, and the first two of these, each after its length: the
#: project and the key.
_head = Struct(">hiqiq").pack
#: How it ends: with the sort and the resource.
_tail = Struct(">iqiq").pack
_row = Struct(">hiqiqiqiq")
_WIDTH = _row.size
#: Where the numbers of the project and of the resource stand in it.
_PROJECT, _RESOURCE = 6, 42
_COLUMNS, _LONG = 4, 8
_BEGINS, _ENDS = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


class Lists:
    """Entries of resources of one project, gathered by their lists."""

    def __init__(self) -> None:
        self._tails: defaultdict[int, list[bytes]] = defaultdict(list)

    def add(self, entries: Entries, number: int) -> None:
        """Take those of one resource, but for its texts."""
        tails = self._tails
        if entries.places:
            tail = _tail(_LONG, entries.sort, _LONG, number)
            for key in entries.places:
                tails[key].append(tail)
        for key, at in entries.placed:
            tails[key].append(_tail(_LONG, at, _LONG, number))

    def keys(self) -> list[int]:
        """The lists that get entries, in order."""
        return sorted(self._tails)

    def rows(self, project: int) -> bytes:
        """All of them, with the number of the project."""
        rows: list[bytes] = []
        for key in self.keys():
            tails = self._tails[key]
            head = _head(_COLUMNS, _LONG, project, _LONG, key)
            # As bytes they are in order, but for times before 1970, which come last.
            tails.sort()
            rows += (head, head.join(tails))
        return b"".join(rows)


def numbered(rows: bytes, project: int, numbers: Sequence[int]) -> bytes:
    """The rows with that number of the project, and for each place that stands in them that number
    of a resource.

    A column of bytes is moved at a time: so no object is made of an entry but its place.
    """
    count = len(rows) // _WIDTH
    whole = bytearray(rows)
    places = bytearray(_LONG * count)
    for at in range(_LONG):
        places[at::_LONG] = whole[_RESOURCE + at :: _WIDTH]
    form = f">{count}q"
    told = pack(form, *map(numbers.__getitem__, unpack(form, places)))
    for at, byte in enumerate(project.to_bytes(_LONG, "big")):
        whole[_RESOURCE + at :: _WIDTH] = told[at::_LONG]
        whole[_PROJECT + at :: _WIDTH] = bytes([byte]) * count
    return bytes(whole)


def entries_in(rows: bytes) -> Iterator[tuple[int, int, int]]:
    """The key, sort and resource of each row."""
    for _, _, _, _, key, _, sort, _, number in _row.iter_unpack(rows):
        yield key, sort, number


def copy(parts: Sequence[bytes]) -> bytes:
    """What is to be copied: rows, with what stands around them."""
    return b"".join((_BEGINS, *parts, _ENDS))
