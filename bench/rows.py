"""What SQLite alone takes for the rows of a store: the same tables, in the same order."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import apsw

#: Each table that a create writes to, and the place of the resource's number in its rows.
_TABLES = {"resource": 0, "posting": 2, "text": 2, "change": 2}


def raw_writes(store: Path, batch: int) -> tuple[int, float]:
    """How many resources an empty database of the same schema took, and in how many seconds.

    The rows of so many resources at a time are put in by one durable commit, in the order of each
    table, all made before the clock runs. The store has nothing but first versions.
    """
    source = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    schema = [
        sql for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
    ]
    commits: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for table, place in _TABLES.items():
        for row in source.execute(f"SELECT * FROM {table}"):
            commits[int(row[place]) // batch][table].append(row)  # type: ignore[arg-type]
    count = sum(len(rows["resource"]) for rows in commits.values())
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        target = apsw.Connection(str(Path(folder) / "raw.db"), statementcachesize=500)
        target.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 10000"
        )
        for sql in schema:
            target.execute(sql)
        started = time.perf_counter()
        for _, tables in sorted(commits.items()):
            with target:
                for table, rows in tables.items():
                    marks = ", ".join("?" * len(rows[0]))
                    target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        taken = time.perf_counter() - started
        target.close()
    source.close()
    return count, taken
