"""Searches that take long: they end, in time or when nobody waits, and leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import pytest

from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Page,
    StoreBusy,
    StoreSlow,
    Unmatched,
)
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite import SqliteStore, heavy, transaction
from threadwell.stores.sqlite.database import open_database, open_reader
from threadwell.stores.sqlite.heavy import Heavy, Watch
from threadwell.stores.sqlite.search import Searcher, Within
from threadwell.stores.suite.scenario import Desk, query

_ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
_EMPTY = Page([], [], None, more=False)


def _search(sql: str) -> heavy.Work:
    def search(searcher: Searcher, within: Within) -> Page:
        def rows() -> Page:
            searcher.reader.rows(sql, (), [])
            return _EMPTY

        return within(rows)

    return search


def _on_a_file(path: Path, work: Callable[[Heavy], Awaitable[None]]) -> None:
    open_database(path).close()

    def connect() -> tuple[Searcher, Watch]:
        connection = open_reader(path)
        return Searcher(connection, Keys(bytes(16))), Watch(connection, heavy.STEPS)

    async def run() -> None:
        threads = Heavy(connect)
        await work(threads)
        # Whatever is still under way ends; a thread that goes on would keep the test from ending.
        threads.close()

    asyncio.run(run())


def test_a_search_without_end_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(threads: Heavy) -> None:
        monkeypatch.setattr(heavy, "LONGEST", 0.05)
        endless = [threads.search(_search(_ENDLESS)) for _ in range(6)]
        results = await asyncio.gather(*endless, return_exceptions=True)
        assert {type(result) for result in results} == {StoreSlow}
        assert "0 s" in str(results[0])
        monkeypatch.setattr(heavy, "LONGEST", 60.0)
        assert await threads.search(_search("SELECT 1")) is _EMPTY

    _on_a_file(tmp_path / "x.db", work)


def test_a_search_that_nobody_waits_for_gives_its_thread_to_others(tmp_path: Path) -> None:
    async def work(threads: Heavy) -> None:
        endless = [asyncio.create_task(threads.search(_search(_ENDLESS))) for _ in range(6)]
        await asyncio.sleep(0.02)
        for task in endless:
            task.cancel()
        assert await asyncio.wait_for(threads.search(_search("SELECT 1")), 30) is _EMPTY
        last = asyncio.create_task(threads.search(_search(_ENDLESS)))
        await asyncio.sleep(0.02)
        threads.close()
        with pytest.raises(StoreSlow):
            await last

    _on_a_file(tmp_path / "x.db", work)


def test_searches_that_are_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heavy, "MAX_WAITING", 3)

    async def work(threads: Heavy) -> None:
        for _ in range(2):
            searches = [threads.search(_search("SELECT 1")) for _ in range(9)]
            results = await asyncio.gather(*searches, return_exceptions=True)
            assert [type(result) for result in results] == [Page] * 5 + [StoreBusy] * 4

    _on_a_file(tmp_path / "x.db", work)


def test_a_search_that_failed_spoils_no_other(tmp_path: Path) -> None:
    async def work(threads: Heavy) -> None:
        with pytest.raises(apsw.SQLError):
            await threads.search(_search("SELECT nothing"))
        assert await threads.search(_search("SELECT 1")) is _EMPTY

    _on_a_file(tmp_path / "x.db", work)


def test_a_search_that_is_broken_off_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    path = tmp_path / "x.db"

    async def run() -> None:
        desk = Desk(SqliteStore.open(path))
        patients = [{"resourceType": "Patient", "id": f"p{n}", "active": True} for n in range(4000)]
        await desk.commit(*map(desk.write, patients))
        await desk.search("Patient?active=true&_sort=birthdate")
        monkeypatch.setattr(heavy, "LONGEST", 0.0005)
        with pytest.raises(StoreSlow):
            await desk.search("Patient?active=true&_sort=birthdate")
        # A checkpoint that nobody stands in the way of takes over all that the log holds.
        other = apsw.Connection(str(path))
        busy, log, taken = other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        other.close()
        assert (busy, log) == (0, taken)
        monkeypatch.setattr(heavy, "LONGEST", 60.0)
        await desk.put({"resourceType": "Patient", "id": "last", "active": True})
        page = await desk.search("Patient?active=true&_sort=-_lastUpdated&_count=1")
        assert [stored.id for stored in page.matches] == ["last"]
        await desk.store.close()

    asyncio.run(run())


def test_a_condition_that_takes_too_long_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LONGEST_LOOK", -1.0)
    monkeypatch.setattr(heavy, "STEPS", 1)

    async def run() -> None:
        desk = Desk(SqliteStore.open(tmp_path / "x.db"))
        writes = [desk.write({"resourceType": "Patient", "id": f"p{n}"}) for n in range(4)]
        unmatched = (Unmatched(query("Patient?active=true")),)
        change_sets = [
            ChangeSet((write,), unmatched if n == 2 else ()) for n, write in enumerate(writes)
        ]
        commits = [desk.store.commit(DEFAULT_PROJECT, one) for one in change_sets]
        results = await asyncio.gather(*commits, return_exceptions=True)
        assert [type(one) for one in results] == [type(None), type(None), StoreSlow, type(None)]
        monkeypatch.setattr(transaction, "LONGEST_LOOK", 60.0)
        assert set(await desk.ids("Patient")) == {"p0", "p1", "p3"}
        await desk.store.commit(DEFAULT_PROJECT, change_sets[2])
        assert await desk.read("Patient", "p2") is not None
        await desk.store.close()

    asyncio.run(run())


def test_conditions_have_their_time_of_work_while_others_keep_the_machine_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = {"now": 0.0, "worked": 0.0}
    monkeypatch.setattr(heavy, "perf_counter", lambda: clock["now"])
    monkeypatch.setattr(heavy, "thread_time", lambda: clock["worked"])
    limit = heavy.LimitOfWork(1.0)
    over = []
    for clock["now"], clock["worked"] in ((0.9, 0.9), (20.0, 0.9), (20.0, 1.1), (31.0, 0.9)):
        over.append(limit.is_over)
    assert over == [False, False, True, True]


def test_the_conditions_of_a_change_set_share_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, tick = 0, 0.0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return looks * tick

    monkeypatch.setattr(heavy, "perf_counter", clock)
    monkeypatch.setattr(heavy, "thread_time", clock)
    monkeypatch.setattr(heavy, "STEPS", 1)

    async def run() -> None:
        nonlocal looks, tick
        desk = Desk(SqliteStore.open(tmp_path / "x.db"))

        async def commit(id_: str, conditions: int) -> None:
            write = desk.write({"resourceType": "Patient", "id": id_})
            unmatched = (Unmatched(query("Patient?active=true")),) * conditions
            await desk.store.commit(DEFAULT_PROJECT, ChangeSet((write,), unmatched))

        await commit("first", 1)
        looks, tick = 0, transaction.LONGEST_LOOK / (2 * looks)
        await commit("second", 1)
        with pytest.raises(StoreSlow):
            await commit("third", 4)
        assert set(await desk.ids("Patient")) == {"first", "second"}
        await desk.store.close()

    asyncio.run(run())


@pytest.mark.parametrize(("known", "times"), [(60.0, 2), (-1.0, 1)])
def test_a_kind_of_search_that_was_heavy_has_less_time_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: float, times: int
) -> None:
    monkeypatch.setattr(heavy, "KNOWN", known)
    monkeypatch.setattr(heavy, "PART", -1.0)
    monkeypatch.setattr(heavy, "STEPS_ON_LOOP", 1)
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    heavies: list[heavy.Work] = []
    search_in_thread = Heavy.search

    async def noted(self: Heavy, work: heavy.Work) -> Page:
        heavies.append(work)
        return await search_in_thread(self, work)

    monkeypatch.setattr(Heavy, "search", noted)

    async def run() -> None:
        desk = Desk(SqliteStore.open(tmp_path / "x.db"))
        await desk.put({"resourceType": "Patient", "id": "p", "active": True})
        assert await desk.ids("Patient?active=true") == ["p"]
        monkeypatch.setattr(heavy, "PATIENCE", 60.0)
        monkeypatch.setattr(heavy, "HELD_UP", 60.0)
        # It differs in nothing but what it looks for; the next asks for something else.
        assert await desk.ids("Patient?active=false") == []
        assert await desk.ids("Patient?gender:missing=true") == ["p"]
        await desk.store.close()

    asyncio.run(run())
    assert len(heavies) == times
