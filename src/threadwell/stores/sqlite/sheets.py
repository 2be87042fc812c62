"""New entries of the index out of sheets: SQLite reads each as a database of its own, in memory."""

from __future__ import annotations

import apsw

from threadwell.stores.sql.image import entries_in, is_small
from threadwell.stores.sql.sheet import Sheet

#: Databases that a connection has beside its own at most. The SQLite that comes with apsw takes
#: 125, another one may take ten, or fewer.
_MOST = 100


class Sheets:
    """Sheets that are at hand of a connection until its transaction has ended."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._count = 0
        self._most = min(_MOST, connection.limit(apsw.SQLITE_LIMIT_ATTACHED))

    def insert(self, first: int, sheet: Sheet) -> None:
        """Insert the entries of a sheet, the first of whose resources has the number ``first``."""
        if is_small(sheet.image) or self._count >= self._most:
            self._connection.executemany(
                "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)",
                ((key, sort, first + place) for key, sort, place in entries_in(sheet.image)),
            )
            return
        name = f"sheet{self._count}"
        self._connection.execute(f"ATTACH ':memory:' AS {name}")
        self._count += 1
        self._connection.deserialize(name, sheet.image)
        self._connection.execute(
            "INSERT OR IGNORE INTO main.posting"
            f" SELECT key, sort, place + ? FROM {name}.entry ORDER BY key, sort, place",
            (first,),
        )

    def close(self) -> None:
        """Let go of all of them: no transaction may be open."""
        for number in range(self._count):
            self._connection.execute(f"DETACH sheet{number}")
        self._count = 0
