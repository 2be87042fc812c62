"""A commit of SQLite is on the disk, not only handed to the system, before it is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import apsw
import pytest

from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.suite.scenario import Desk


class Counting(apsw.VFS):
    """The system's files, and how often those of a write-ahead log were synced."""

    def __init__(self) -> None:
        self.synced = 0
        self.system = apsw.vfs_names()[0]
        super().__init__("counting", self.system, makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802 - so SQLite calls it
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, vfs: Counting, name, flags) -> None:
        self._vfs = vfs
        self._log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)
        super().__init__(vfs.system, name, flags)

    def xSync(self, flags):  # noqa: N802 - so SQLite calls it
        self._vfs.synced += self._log
        super().xSync(flags)


@pytest.fixture
def disk() -> Iterator[Counting]:
    counting = Counting()
    yield counting
    counting.unregister()


def test_every_commit_is_synced_before_it_is_acknowledged(disk, tmp_path):
    async def write() -> list[int]:
        store = SqliteStore.open(tmp_path / "threadwell.db")
        desk, seen = Desk(store), []
        try:
            for n in range(5):
                await desk.commit(desk.write({"resourceType": "Patient", "id": f"p{n}"}))
                seen.append(disk.synced)
        finally:
            await store.close()
        return seen

    seen = asyncio.run(write())
    assert all(after > before for before, after in pairwise(seen)), seen
