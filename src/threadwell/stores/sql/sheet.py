"""What many new resources put into the index as one sheet of numbers.

It is made by a process that decides, and written by the one that has the store: there it is bound
to statements as it is, with no object for each entry.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threadwell.stores.sql.entries import Entries

#: Numbers of one entry: its key, its place in the order of the list, the resource's place.
COLUMNS = 3
_row = struct.Struct(">qqq").pack


class Marks(NamedTuple):
    """What goes with a resource whose entries are in a sheet (``Entries``)."""

    present: int
    sort: int
    texts: tuple[tuple[int, str], ...]


class Sheet(NamedTuple):
    """``rows`` are the entries, each as ``COLUMNS`` signed 64-bit numbers, list by list and in the
    order of each: neighbours go to one page while it is at hand. Resources are told by where they
    stand among the new ones, from 0 on; ``new`` is how many these are. ``basis`` is what it hangs
    on.
    """

    basis: tuple[bytes, frozenset[str], str, int]
    new: int
    rows: bytes

    def keys(self) -> list[int]:
        """The lists that get entries, each as often as it gets one."""
        return memoryview(self.rows).cast("q")[::COLUMNS].tolist()

    def runs(self, entries: int) -> Iterator[list[int]]:
        """The numbers of so many entries at a time; the last run may have fewer."""
        numbers = memoryview(self.rows).cast("q")
        width = entries * COLUMNS
        for at in range(0, len(numbers), width):
            yield numbers[at : at + width].tolist()


def rows_of(every: Iterable[Entries]) -> bytes:
    """The ``rows`` of a sheet with the entries of these resources, but for their texts."""
    rows: list[bytes] = []
    for place, one in enumerate(every):
        sort = one.sort
        rows += [_row(key, sort, place) for key in one.places]
        rows += [_row(key, at, place) for key, at in one.placed]
    # As bytes they are sorted in half the time; that keys below 0 come last does no harm.
    rows.sort()
    numbers = array("q", b"".join(rows))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tobytes()


def marks_of(every: Sequence[Entries]) -> list[Marks]:
    """The marks of these resources."""
    return [Marks(one.present, one.sort, one.texts) for one in every]
