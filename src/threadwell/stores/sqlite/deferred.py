"""Sheets whose entries are not in the index yet: they wait in the file, as durable as the rest.

The entries of new messages are spread over all of the index, so each commit of an import changes
most of its pages once the store is large. Those of several commits go in by one walk instead.
Whoever searches has them go in first, in whatever process that is: nothing is found later than it
was committed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

import apsw

from threadwell.stores.sql.sheet import keys_in
from threadwell.stores.sqlite.rows import fetch

#: Whether any sheet waits.
WAITS = "SELECT 1 FROM sheet LIMIT 1"
_WAITING = "SELECT first, length(image) FROM sheet ORDER BY first"


def waits(connection: apsw.Connection) -> bool:
    """Whether any sheet waits. It has SQLite look what was committed (``data_version``)."""
    return bool(fetch(connection, WAITS))


class Lists:
    """Which lists of the index the sheets that wait have entries of: each sheet is read once."""

    def __init__(self) -> None:
        #: By the number of its first resource, and the bytes of its entries.
        self._known: dict[tuple[int, int], array[int]] = {}

    def among(self, connection: apsw.Connection, keys: Iterable[int]) -> bool:
        """Whether any sheet has entries of one of these lists."""
        waiting = fetch(connection, _WAITING)
        self._known = {(first, size): self._of(connection, first, size) for first, size in waiting}
        wanted = list(keys)
        return any(_holds(lists, key) for lists in self._known.values() for key in wanted)

    def _of(self, connection: apsw.Connection, first: int, size: int) -> array[int]:
        found = self._known.get((first, size))
        if found is None:
            rows = fetch(connection, "SELECT lists FROM sheet WHERE first = ?", (first,))
            found = keys_in(rows[0][0] if rows else b"")
        return found


class Deferred:
    """The sheets that wait, as they are when a transaction begins."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        rows = fetch(connection, _WAITING)
        self.firsts = [first for first, _ in rows]
        #: Bytes of all of them.
        self.size = sum([size for _, size in rows])

    def __bool__(self) -> bool:
        return bool(self.firsts)

    def may_be_of(self, rid: int) -> bool:
        """Whether entries of that resource may wait: it is as new as the oldest of them."""
        return bool(self.firsts) and rid >= self.firsts[0]

    def add(self, first: int, lists: bytes, image: bytes) -> None:
        """Have one more wait."""
        self._connection.execute("INSERT INTO sheet VALUES (?, ?, ?)", (first, lists, image))
        self.firsts.append(first)
        self.size += len(image)

    def image(self, first: int) -> bytes:
        """The entries of one that waits."""
        ((found,),) = fetch(self._connection, "SELECT image FROM sheet WHERE first = ?", (first,))
        assert isinstance(found, bytes)
        return found

    def clear(self) -> None:
        """None of them waits any more."""
        self._connection.execute("DELETE FROM sheet")
        self.firsts, self.size = [], 0


def _holds(lists: array[int], key: int) -> bool:
    at = bisect_left(lists, key)
    return at < len(lists) and lists[at] == key
