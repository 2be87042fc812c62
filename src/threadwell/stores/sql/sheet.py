"""What many new resources put into the index as one sheet.

It is made by whoever works out the entries, and written by the one that has the store: there it is
read by the database as it is, with no object for each entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadwell.stores.sql import image, packed_rows
from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.keys import Form


class Marks(NamedTuple):
    """What goes with a resource whose entries are in a sheet (``Entries``)."""

    present: int
    sort: int
    texts: tuple[tuple[int, str], ...]


class Sheet(NamedTuple):
    """``image`` has the entries in a ``form``, list by list and in the order of each: neighbours
    go to one page while it is at hand. Resources are told by where they stand among the new ones,
    from 0 on; ``new`` is how many these are. ``basis`` is what it hangs on.
    """

    basis: tuple[bytes, frozenset[str], str, int]
    new: int
    form: Form
    image: bytes

    def keys(self) -> set[int]:
        """The lists that get entries."""
        read = image.entries_in if self.form is Form.PAGES else packed_rows.entries_in
        return {key for key, _, _ in read(self.image)}


def image_of(every: Sequence[Entries], form: Form) -> bytes:
    """The ``image`` of a sheet with the entries of these resources, but for their texts."""
    return _pages(every) if form is Form.PAGES else _rows(every)


def marks_of(every: Sequence[Entries]) -> list[Marks]:
    """The marks of these resources."""
    return [Marks(one.present, one.sort, one.texts) for one in every]


def _pages(every: Sequence[Entries]) -> bytes:
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
    return image.image(image.cells(lists))


def _rows(every: Iterable[Entries]) -> bytes:
    lists = packed_rows.Lists()
    for place, one in enumerate(every):
        lists.add(one, place)
    return lists.rows(0)
