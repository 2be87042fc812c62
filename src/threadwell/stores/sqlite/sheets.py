"""New entries of the index out of sheets: SQLite reads each as a database of its own, in memory."""

from __future__ import annotations

import apsw

from threadwell.stores.sql.image import entries_in, is_small
from threadwell.stores.sql.sheet import Sheet

#: Databases that a connection has beside its own at most. The SQLite that comes with apsw takes
#: 125, another one may take ten, or fewer.
_MOST = 100


class Sheets:
    """Sheets that are at hand of a connection until its transaction has ended.

    ``waiting`` are those that are to be inserted, each with the number of its first resource.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._count = 0
        self._most = min(_MOST, connection.limit(apsw.SQLITE_LIMIT_ATTACHED))
        self.waiting: list[tuple[int, Sheet]] = []
        self._keys: set[int] = set()
        self._keyed = 0

    def add(self, first: int, sheet: Sheet) -> None:
        """Have a sheet wait, the first of whose resources has the number ``first``."""
        self.waiting.append((first, sheet))

    def keys(self) -> set[int]:
        """The lists that get entries; each entry is looked at once, however often this is asked."""
        for _, sheet in self.waiting[self._keyed :]:
            self._keys.update(sheet.keys())
        self._keyed = len(self.waiting)
        return self._keys

    def insert(self) -> None:
        """Insert the entries of those that wait, as one: each page that changes is had once."""
        waiting, self.waiting = self.waiting, []
        self._keys, self._keyed = set(), 0
        parts: list[str] = []
        firsts: list[int] = []
        for first, sheet in waiting:
            if is_small(sheet.image) or self._count >= self._most:
                self._connection.executemany(
                    "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)",
                    ((key, sort, first + place) for key, sort, place in entries_in(sheet.image)),
                )
                continue
            name = f"sheet{self._count}"
            self._connection.execute(f"ATTACH ':memory:' AS {name}")
            self._count += 1
            self._connection.deserialize(name, sheet.image)
            parts.append(f"SELECT key, sort, place + ? FROM {name}.entry")
            firsts.append(first)
        if parts:
            # Each is in this order by itself, so SQLite walks them side by side.
            self._connection.execute(
                f"INSERT OR IGNORE INTO main.posting {' UNION ALL '.join(parts)} ORDER BY 1, 2",
                firsts,
            )

    def close(self) -> None:
        """Let go of all of them: no transaction may be open."""
        for number in range(self._count):
            self._connection.execute(f"DETACH sheet{number}")
        self._count = 0
