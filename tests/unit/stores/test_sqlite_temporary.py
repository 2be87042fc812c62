"""What is written in bulk needs no temporary files: there may be no folder for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.sqlite import SqliteStore

#: Files that have no name and are gone with whoever made them.
TEMPORARY = apsw.SQLITE_OPEN_SUBJOURNAL | apsw.SQLITE_OPEN_TEMP_DB | apsw.SQLITE_OPEN_TEMP_JOURNAL
MANY = 3000


class Seen(apsw.VFS):
    """The file system, which keeps what temporary files were opened."""

    def __init__(self) -> None:
        super().__init__("seen", "", makedefault=True)
        self.temporary: list[int] = []

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - it is theirs
        if flags[0] & TEMPORARY:
            self.temporary.append(flags[0])
        return super().xOpen(name, flags)


@pytest.fixture
def seen() -> Iterator[Seen]:
    usual = apsw.vfs_names()[0]
    system = Seen()
    yield system
    apsw.set_default_vfs(usual)
    system.unregister()


def id_of(number: int) -> str:
    """An id as long as they may be; neighbours are far from each other in order."""
    return f"{number * 7919 % MANY:04}{'x' * 60}"


def write(number: int, before: Any = None) -> Write:
    """A file, with its bytes, of a patient of its own."""
    resource = {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "securityContext": {"reference": f"Patient/{number}"},
        "meta": {"source": f"urn:x:{number}:{'x' * 400}"},
    }
    version = new_id(number)
    at = 1000 + number
    stamped, body = stamp(resource, id_of(number), version, at)
    id_ = id_of(number)
    return Write("Binary", id_, version, at, stamped, body, before, content=b"y" * 300)


def test_commits_of_many_need_no_temporary_file(tmp_path: Path, seen: Seen) -> None:
    async def work() -> list[int]:
        store = SqliteStore.open(tmp_path / "a.db")
        counts: list[Any] = []
        for _ in range(3):
            writes = []
            for number in range(MANY):
                id_ = id_of(number)
                before = await store.read(DEFAULT_PROJECT, "Binary", id_) if counts else None
                writes.append(write(number, before))
            await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
            counts.append(await store.position(DEFAULT_PROJECT))
        await store.close()
        return counts

    counts = asyncio.run(work())
    assert len(set(counts)) == 3
    assert seen.temporary == []


def test_a_temporary_file_would_be_seen(tmp_path: Path, seen: Seen) -> None:
    connection = apsw.Connection(str(tmp_path / "a.db"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)")
    many = ", ".join(f"({number}, zeroblob(900))" for number in range(400))
    connection.execute("BEGIN")
    for odd in (0, 1):
        sql = f"INSERT INTO t SELECT 2 * column1 + ?, column2 FROM (VALUES {many})"
        connection.execute(sql, (odd,))
    connection.execute("COMMIT")
    connection.close()
    assert seen.temporary
