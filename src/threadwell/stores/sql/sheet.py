"""What many new resources put into the index as one sheet.

It is made by a process that decides, and written by the one that has the store: there it is read by
the database as it is, with no object for each entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.image import entries_in, image, in_order, row


class Marks(NamedTuple):
    """What goes with a resource whose entries are in a sheet (``Entries``)."""

    present: int
    sort: int
    texts: tuple[tuple[int, str], ...]


class Sheet(NamedTuple):
    """``image`` has the entries (``sql.image``), list by list and in the order of each: neighbours
    go to one page while it is at hand. Resources are told by where they stand among the new ones,
    from 0 on; ``new`` is how many these are. ``basis`` is what it hangs on.
    """

    basis: tuple[bytes, frozenset[str], str, int]
    new: int
    image: bytes

    def keys(self) -> set[int]:
        """The lists that get entries."""
        return {key for key, _, _ in entries_in(self.image)}


def image_of(every: Iterable[Entries]) -> bytes:
    """The ``image`` of a sheet with the entries of these resources, but for their texts."""
    rows: list[bytes] = []
    negative = False
    for place, one in enumerate(every):
        sort = one.sort
        rows += [row(key, sort, place) for key in one.places]
        rows += [row(key, at, place) for key, at in one.placed]
        negative = negative or sort < 0 or any(at < 0 for _, at in one.placed)
    return image(in_order(rows, negative=negative))


def marks_of(every: Sequence[Entries]) -> list[Marks]:
    """The marks of these resources."""
    return [Marks(one.present, one.sort, one.texts) for one in every]
