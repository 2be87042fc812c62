"""What a database alone takes to commit rows: the raw figure that others are set beside."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import apsw
import asyncpg

Row = tuple[str, bytes]

_TABLE = "CREATE TABLE {} (name TEXT PRIMARY KEY, value {})"


def raw_commits(store: str, rows: Sequence[Row], together: int) -> list[float]:
    """Commit rows durably, some together at a time, in a new table beside what ``store`` holds.

    Returns:
        The seconds of each commit.
    """
    parts = [rows[at : at + together] for at in range(0, len(rows), together)]
    if store.startswith("postgresql:"):
        return asyncio.run(_of_postgresql(store.partition("&schema=")[0], parts, f"raw{together}"))
    return list(_of_sqlite(f"{store}.raw{together}", parts))


def _of_sqlite(path: str, parts: Iterable[Sequence[Row]]) -> Iterable[float]:
    connection = apsw.Connection(path)
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    connection.execute(_TABLE.format("kept", "BLOB") + " WITHOUT ROWID")
    for part in parts:
        began = time.perf_counter()
        with connection:
            connection.executemany("INSERT INTO kept VALUES (?, ?)", part)
        yield time.perf_counter() - began
    connection.close()


async def _of_postgresql(url: str, parts: Iterable[Sequence[Row]], name: str) -> list[float]:
    connection = await asyncpg.connect(url)
    waits = []
    try:
        await connection.execute(_TABLE.format(name, "BYTEA"))
        for part in parts:
            began = time.perf_counter()
            await connection.executemany(f"INSERT INTO {name} VALUES ($1, $2)", part)
            waits.append(time.perf_counter() - began)
    finally:
        await connection.close()
    return waits
