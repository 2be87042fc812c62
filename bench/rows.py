"""What SQLite alone takes for the rows of a store: the same tables, in the same order."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

#: Each table that a create writes to, and the column of the resource's number.
_TABLES = {"resource": "rid", "posting": "rid", "text": "rid", "change": "rid"}


class SameRows:
    """An empty database of a store's schema, which is given the rows that the store wrote.

    The store has nothing but first versions.
    """

    def __init__(self, store: Path, target: Path) -> None:
        self._source = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
        self._target = apsw.Connection(str(target), statementcachesize=500)
        self._target.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 10000"
        )
        for (sql,) in self._source.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
        ).fetchall():
            self._target.execute(sql)
        self._last = 0
        #: Seconds of CPU that the last ones took, without the reading of them.
        self.used = 0.0

    def put(self, batch: int) -> tuple[int, float]:
        """How many resources are new in the store, and in how many seconds they were put in.

        The rows of so many resources at a time are put in by one durable commit, in the order of
        each table, all made before the clock runs.
        """
        commits: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for table, column in _TABLES.items():
            rows = self._source.execute(
                f"SELECT {column}, * FROM {table} WHERE {column} > ?", (self._last,)
            )
            for rid, *row in rows.fetchall():
                commits[(rid - self._last - 1) // batch][table].append(tuple(row))
        count = sum(len(tables["resource"]) for tables in commits.values())
        started, used = time.perf_counter(), time.process_time()
        for _, tables in sorted(commits.items()):
            with self._target:
                for table, rows in tables.items():
                    marks = ", ".join("?" * len(rows[0]))
                    self._target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        taken, self.used = time.perf_counter() - started, time.process_time() - used
        self._last += count
        return count, taken

    def close(self) -> None:
        """Close both."""
        self._source.close()
        self._target.close()


@contextmanager
def same_rows(store: Path) -> Iterator[SameRows]:
    """A database for the rows of a store, beside it."""
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        rows = SameRows(store, Path(folder) / "raw.db")
        try:
            yield rows
        finally:
            rows.close()
