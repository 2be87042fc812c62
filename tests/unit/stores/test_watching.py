"""Stores tell of their commits, and of a disk that has no space left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw

from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, StoreFull, Write
from threadwell.stores.sqlite import SqliteStore


class Counted:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.seconds: list[float] = []

    def waiting(self, change_sets: int) -> None:
        assert change_sets >= 0

    def committed(self, change_sets: int, seconds: float) -> None:
        self.groups.append(change_sets)
        self.seconds.append(seconds)


def change(text: str = "") -> ChangeSet:
    now = now_ms()
    id_, version = new_id(now), new_id(now)
    resource = {"resourceType": "Basic", "code": {"text": "x"}, "language": text or "en"}
    stamped, body = stamp(resource, id_, version, now)
    return ChangeSet((Write("Basic", id_, version, now, stamped, body),))


def test_commits_are_told_with_those_that_share_them(tmp_path: Path) -> None:
    async def run() -> Counted:
        store = SqliteStore.open(tmp_path / "x.db")
        counted = Counted()
        store.watch(counted)
        await asyncio.gather(*(store.commit(DEFAULT_PROJECT, change()) for _ in range(50)))
        await store.commit(DEFAULT_PROJECT, change())
        await store.close()
        return counted

    counted = asyncio.run(run())
    assert sum(counted.groups) == 51
    assert len(counted.groups) < 10
    assert all(seconds > 0 for seconds in counted.seconds)


def test_what_comes_while_another_process_writes_shares_the_next_commit(tmp_path: Path) -> None:
    async def run() -> Counted:
        store = SqliteStore.open(tmp_path / "x.db")
        counted = Counted()
        store.watch(counted)
        other = apsw.Connection(str(tmp_path / "x.db"))
        other.execute("BEGIN IMMEDIATE")
        commits = []
        for _ in range(5):
            commits.append(asyncio.create_task(store.commit(DEFAULT_PROJECT, change())))
            await asyncio.sleep(0.01)
        other.execute("ROLLBACK")
        other.close()
        await asyncio.gather(*commits)
        await store.close()
        return counted

    assert asyncio.run(run()).groups == [5]


def test_a_full_disk_is_told_as_such_and_got_over(tmp_path: Path) -> None:
    async def run() -> None:
        store = SqliteStore.open(tmp_path / "x.db")
        pages = "PRAGMA max_page_count = {}"
        store._writing.execute(pages.format(60))
        large = [change("x" * 5000) for _ in range(100)]
        commits = [store.commit(DEFAULT_PROJECT, one) for one in large]
        results = await asyncio.gather(*commits, return_exceptions=True)
        assert {type(result) for result in results} == {type(None), StoreFull}
        kept = [
            write
            for one, result in zip(large, results, strict=True)
            if result is None
            for write in one.writes
        ]
        for write in kept:
            assert await store.read(DEFAULT_PROJECT, write.type, write.id)
        store._writing.execute(pages.format(1_000_000))
        await store.commit(DEFAULT_PROJECT, change("x" * 5000))
        await store.close()

    asyncio.run(run())
