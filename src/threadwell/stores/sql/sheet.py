"""What many new resources put into the index as one sheet.

It is made by whoever works out the entries, and written by the one that has the store: there it is
read by the database as it is, with no object for each entry.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from threadwell.stores.sql import image, packed_rows
from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.keys import Form

#: The secret of the keys, the bases that are ours, the project, and the turn of its parameters.
Basis: TypeAlias = tuple[bytes, frozenset[str], str, int]


class Marks(NamedTuple):
    """What goes with a resource whose entries are in a sheet (``Entries``)."""

    present: int
    sort: int
    texts: tuple[tuple[int, str], ...]


class Sheet(NamedTuple):
    """``image`` has the entries in a ``form``, list by list and in the order of each: neighbours
    go to one page while it is at hand. Resources are told by where they stand among the new ones,
    from 0 on; ``new`` is how many these are. ``basis`` is what it hangs on. ``lists`` are the keys
    of the lists that get entries, in order, as signed 64-bit numbers (``keys_in``).
    """

    basis: Basis
    new: int
    form: Form
    lists: bytes
    image: bytes


def sheet_of(basis: Basis, every: Sequence[Entries], form: Form) -> Sheet:
    """The sheet with the entries of these resources, but for their texts."""
    lists, image_ = _pages(every) if form is Form.PAGES else _rows(every)
    return Sheet(basis, len(every), form, lists, image_)


def keys_in(lists: bytes) -> array[int]:
    """The keys that ``Sheet.lists`` holds."""
    return _in_order_of_bytes(array("q", lists))


def marks_of(every: Sequence[Entries]) -> list[Marks]:
    """The marks of these resources."""
    return [Marks(one.present, one.sort, one.texts) for one in every]


def _packed(keys: Iterable[int]) -> bytes:
    return _in_order_of_bytes(array("q", keys)).tobytes()


def _in_order_of_bytes(numbers: array[int]) -> array[int]:
    """The same with the least byte of each first, or from that, whatever machine this is."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _pages(every: Sequence[Entries]) -> tuple[bytes, bytes]:
    lists: dict[int, list[bytes]] = {}
    new = lists.setdefault
    # Whatever stands at the natural times is put into its lists in their order.
    natural: list[bytes] = [image.place(one.sort, number) for number, one in enumerate(every)]
    for number in sorted(range(len(every)), key=[one.sort for one in every].__getitem__):
        mine = natural[number]
        for key in every[number].places:
            new(key, []).append(mine)
    timed: set[int] = set()
    for number, one in enumerate(every):
        mine, at = natural[number], one.sort
        for key, when in one.placed:
            if when != at:
                mine, at = image.place(when, number), when
            new(key, []).append(mine)
            timed.add(key)
    for key in timed:
        image.in_order(lists[key])
    keys = sorted(lists)
    return _packed(keys), image.image(image.cells(keys, lists))


def _rows(every: Iterable[Entries]) -> tuple[bytes, bytes]:
    lists = packed_rows.Lists()
    for place, one in enumerate(every):
        lists.add(one, place)
    return _packed(lists.keys()), lists.rows(0)
