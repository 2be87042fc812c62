"""New entries of the index out of sheets: SQLite reads each as a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import NamedTemporaryFile

import apsw

from threadwell.stores.sql.image import entries_in, is_small
from threadwell.stores.sql.sheet import Sheet, keys_in
from threadwell.stores.sqlite.deferred import Deferred

#: Databases that a connection has beside its own at most. The SQLite that comes with apsw takes
#: 125, another one may take ten, or fewer.
_MOST = 100
#: Bytes of sheets that wait in the file, beyond which all of them go into the index.
MOST_DEFERRED = 64 * 1024 * 1024


class Sheets:
    """Sheets of a transaction, and those that wait in the file since others.

    ``waiting`` are those that came with it, each with the number of its first resource. What is at
    hand of a connection for them is let go of once its transaction has ended.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._count = 0
        self._most = min(_MOST, connection.limit(apsw.SQLITE_LIMIT_ATTACHED))
        self.waiting: list[tuple[int, Sheet]] = []
        self.deferred = Deferred(connection)
        self._keys: set[int] = set()
        self._keyed = 0

    def add(self, first: int, sheet: Sheet) -> None:
        """Have a sheet wait, the first of whose resources has the number ``first``."""
        self.waiting.append((first, sheet))

    def keys(self) -> set[int]:
        """The lists that get entries of those that came with the transaction; each is looked at
        once, however often this is asked.
        """
        for _, sheet in self.waiting[self._keyed :]:
            self._keys.update(keys_in(sheet.lists))
        self._keyed = len(self.waiting)
        return self._keys

    def defer(self) -> bool:
        """Have those that came wait in the file; ``False`` where too many would."""
        more = sum(len(sheet.image) for _, sheet in self.waiting)
        if self.deferred.size + more > MOST_DEFERRED:
            return False
        for first, sheet in self.waiting:
            self.deferred.add(first, sheet.lists, sheet.image)
        self._came()
        return True

    def insert(self) -> None:
        """Insert the entries of all that wait, as one: each page that changes is had once."""
        parts: list[str] = []
        firsts: list[int] = []
        for first, image, in_file in self._images():
            if is_small(image) or self._count >= self._most:
                self._connection.executemany(
                    "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)",
                    ((key, sort, first + place) for key, sort, place in entries_in(image)),
                )
                continue
            parts.append(f"SELECT key, sort, place + ? FROM {self._attach(image, in_file)}.entry")
            firsts.append(first)
        if parts:
            # Each is in this order by itself, so SQLite walks them side by side.
            self._connection.execute(
                f"INSERT OR IGNORE INTO main.posting {' UNION ALL '.join(parts)} ORDER BY 1, 2",
                firsts,
            )
        if self.deferred:
            self.deferred.clear()

    def close(self) -> None:
        """Let go of all of them: no transaction may be open."""
        for number in range(self._count):
            self._connection.execute(f"DETACH sheet{number}")
        self._count = 0

    def _images(self) -> Iterator[tuple[int, bytes, bool]]:
        """The number of the first resource, the entries, and whether these are many together."""
        for first in self.deferred.firsts:
            yield first, self.deferred.image(first), True
        for first, sheet in self._came():
            yield first, sheet.image, False

    def _attach(self, image: bytes, in_file: bool) -> str:
        """The name of a database with these entries: in memory, or if it can be in a file, which
        has no name once it is open.
        """
        name = f"sheet{self._count}"
        if not (in_file and self._attach_file(image, name)):
            self._connection.execute(f"ATTACH ':memory:' AS {name}")
            self._connection.deserialize(name, image)
        self._count += 1
        return name

    def _attach_file(self, image: bytes, name: str) -> bool:
        try:
            with NamedTemporaryFile(prefix="threadwell-") as file:
                file.write(image)
                file.flush()
                self._connection.execute(f"ATTACH ? AS {name}", (file.name,))
        except (OSError, apsw.CantOpenError):  # no room, or no such files here
            return False
        # It is walked once.
        self._connection.execute(f"PRAGMA {name}.cache_size = 1")
        return True

    def _came(self) -> list[tuple[int, Sheet]]:
        """Those that came with the transaction, which do so no longer."""
        waiting, self.waiting = self.waiting, []
        self._keys, self._keyed = set(), 0
        return waiting
