"""The writer among the other tasks of its process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    StoreFull,
)
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite import SqliteStore, writer
from threadwell.stores.sqlite.database import open_database
from threadwell.stores.sqlite.search import Searcher
from threadwell.stores.sqlite.transaction import Transaction
from threadwell.stores.sqlite.writer import Writer
from threadwell.stores.suite.scenario import Desk, nothing_kept


def test_other_tasks_have_their_turn_between_works_that_take_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_TURN", -1.0)

    async def run() -> None:
        connection = open_database(tmp_path / "x.db")
        one = Writer(connection, Searcher(connection, Keys(bytes(16))), lambda _: 1)
        turns = 0
        seen: list[int] = []

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        def work(_: Transaction) -> None:
            seen.append(turns)

        task = asyncio.create_task(others())
        await asyncio.gather(*(one.do(work) for _ in range(5)))
        task.cancel()
        await one.close()
        connection.close()
        assert len(set(seen)) == 5

    asyncio.run(run())


def test_in_bulk_it_keeps_more_at_hand_and_afterwards_as_much_as_before(tmp_path: Path) -> None:
    def how(store: SqliteStore) -> list[tuple[object, ...]]:
        names = ("cache_size", "wal_autocheckpoint", "synchronous")
        return [store._writing.execute(f"PRAGMA {name}").fetchall()[0] for name in names]

    async def run() -> None:
        desk = Desk(SqliteStore.open(tmp_path / "x.db"))
        usual = how(desk.store)
        for failing in (False, True):
            try:
                async with desk.store.in_bulk():
                    patient = {"resourceType": "Patient", "id": f"p{failing}"}
                    await desk.commit(desk.write(patient, None))
                    assert how(desk.store) == [(-65_536,), (65_536,), usual[2]]
                    if failing:
                        raise KeyError
            except KeyError:
                pass
            assert how(desk.store) == usual
            assert await desk.must_read("Patient", f"p{failing}")
        await desk.store.close()

    asyncio.run(run())


def test_a_full_disk_keeps_nothing_of_what_was_to_be_written(tmp_path: Path) -> None:
    async def run() -> None:
        store = SqliteStore.open(tmp_path / "x.db")
        desk = Desk(store)
        await desk.put({"resourceType": "Patient", "id": "first"})
        store._writing.pragma("max_page_count", store._writing.pragma("page_count"))

        async def refused(n: int) -> None:
            basic = {"resourceType": "Basic", "id": f"b{n}", "author": {"display": "x" * 100_000}}
            write = desk.write(basic)
            with pytest.raises(StoreFull):
                await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

        async with nothing_kept():
            await asyncio.gather(*map(refused, range(5)))
            await asyncio.sleep(0)
        await store.close()

    asyncio.run(run())
