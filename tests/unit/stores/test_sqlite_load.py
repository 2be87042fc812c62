"""What callers meet when a search is heavy, the disk full, or another process writing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from threadwell.stores.contract import DEFAULT_PROJECT, Page, StoreFull
from threadwell.stores.sqlite import SqliteStore, heavy
from threadwell.stores.suite.scenario import Desk, query


def _patient(n: int, **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "id": f"p{n}", **more}


@contextmanager
def _other(path: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(path))
    try:
        yield connection
    finally:
        connection.close()


def test_a_heavy_search_answers_from_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavies: list[heavy.Work] = []
    search_in_thread = heavy.Heavy.search

    async def noted(self: heavy.Heavy, work: heavy.Work) -> Page:
        heavies.append(work)
        return await search_in_thread(self, work)

    monkeypatch.setattr(heavy, "PATIENCE", 0.0)
    monkeypatch.setattr(heavy.Heavy, "search", noted)

    async def run() -> None:
        desk = Desk(SqliteStore.open(tmp_path / "threadwell.db"))
        await desk.commit(*(desk.write(_patient(n, active=n % 2 == 0)) for n in range(4000)))
        count, *pages = await asyncio.gather(
            desk.search("Patient?active=true&birthdate:missing=true&_summary=count"),
            *(desk.search("Patient?active=true&_sort=birthdate") for _ in range(3)),
        )
        assert count.total == 2000
        for page in pages:
            assert [stored.id for stored in page.matches][:2] == ["p0", "p2"]
        assert heavies
        # The connections of the threads see what is written later.
        await desk.put(_patient(4000, active=True))
        page = await desk.search("Patient?active=true&birthdate:missing=true&_summary=count")
        assert page.total == 2001
        await desk.store.close()

    asyncio.run(run())


@pytest.mark.parametrize("steps", [1, 3, 4, 7])
def test_a_search_that_is_broken_off_holds_no_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    # SQLite may be told to stop right after the BEGIN, and before the ROLLBACK, has taken effect.
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    monkeypatch.setattr(heavy, "STEPS_ON_LOOP", steps)

    async def run() -> None:
        desk = Desk(SqliteStore.open(tmp_path / "threadwell.db"))
        for number in range(3):
            await desk.put(_patient(number, active=True))
            assert len(await desk.ids("Patient?active=true")) == number + 1
        # A checkpoint that nobody stands in the way of takes over all that the log holds.
        other = apsw.Connection(str(tmp_path / "threadwell.db"))
        busy, log, taken = other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        assert (busy, log) == (0, taken)
        other.close()
        await desk.store.close()

    asyncio.run(run())


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"

    async def run() -> None:
        store = SqliteStore.open(path)
        desk = Desk(store)
        await desk.put(_patient(0))
        pages = store._writing.pragma("page_count")
        store._writing.pragma("max_page_count", pages + 5)
        large = [_patient(n, language="x" * 20_000) for n in range(1, 9)]
        results = await asyncio.gather(
            *(desk.commit(desk.write(patient)) for patient in large), return_exceptions=True
        )
        assert any(isinstance(result, StoreFull) for result in results)
        assert {type(result) for result in results} <= {StoreFull, type(None)}
        for patient, result in zip(large, results, strict=True):
            stored = await desk.read("Patient", str(patient["id"]))
            assert (stored is None) is (result is not None)
        store._writing.pragma("max_page_count", 1_000_000)
        await desk.put(_patient(100, language="x" * 20_000))
        assert await desk.ids("Patient?_id=p100") == ["p100"]
        await store.close()

    asyncio.run(run())


def test_a_commit_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"

    async def run() -> None:
        desk = Desk(SqliteStore.open(path))
        with _other(path) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(desk.put(_patient(1)))
            await asyncio.sleep(0.05)
            assert not writing.done()
            assert await desk.read("Patient", "p1") is None
            other.execute("ROLLBACK")
            await asyncio.wait_for(writing, 60)
        assert await desk.ids("Patient") == ["p1"]
        await desk.store.close()

    asyncio.run(run())


def test_a_caller_that_gives_up_spoils_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        desk = Desk(SqliteStore.open(tmp_path / "threadwell.db"))
        tasks = [asyncio.create_task(desk.commit(desk.write(_patient(n)))) for n in range(30)]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for n, result in enumerate(results):
            assert isinstance(result, asyncio.CancelledError) is (n % 3 == 0)
            if n % 3:
                assert await desk.read("Patient", f"p{n}") is not None
        await desk.put(_patient(99))
        await desk.store.close()

    asyncio.run(run())


def test_one_event_loop_after_another(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "threadwell.db")
    desk = Desk(store)
    for n in range(3):
        asyncio.run(desk.commit(desk.write(_patient(n))))
        assert len(asyncio.run(store.search(DEFAULT_PROJECT, query("Patient"))).matches) == n + 1
    asyncio.run(store.close())


def test_two_open_stores_of_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"

    async def run() -> None:
        here, there = Desk(SqliteStore.open(path)), Desk(SqliteStore.open(path))
        there._now += 60_000
        await asyncio.gather(
            *(here.commit(here.write(_patient(n))) for n in range(40)),
            *(there.commit(there.write(_patient(n + 100))) for n in range(40)),
        )
        for desk in (here, there):
            assert (await desk.search("Patient?_summary=count")).total == 80
        made = await asyncio.gather(
            here.store.put_private("key", "k", b"here", only_new=True),
            there.store.put_private("key", "k", b"there", only_new=True),
        )
        assert sorted(made) == [False, True]
        assert await here.store.get_private("key", "k") == (b"here" if made[0] else b"there")
        await here.store.close()
        await there.store.close()

    asyncio.run(run())
