"""A page that was found is shown again only as long as nothing was committed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query, lasting
from threadwell.fhir.stamp import now_ms, stamp
from threadwell.stores.contract import ChangeSet, Page, Store, Write
from threadwell.stores.sqlite import SqliteStore, shown

PROJECT, OTHER = "project-a", "project-b"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shown.db"


def asked() -> Query:
    return lasting(parse_query("Patient", [("active", "true"), ("_count", "20")]))


async def create(store: Store, id_: str, project: str = PROJECT) -> None:
    resource = {"resourceType": "Patient", "active": True}
    stamped, body = stamp(resource, id_, "1", now_ms())
    write = Write("Patient", id_, "1", now_ms(), stamped, body)
    await store.commit(project, ChangeSet((write,)))


def ids(page: Page) -> list[str]:
    return sorted(match.id for match in page.matches)


def test_it_is_the_same_page_until_anybody_commits(path: Path, runner: asyncio.Runner) -> None:
    async def run() -> None:
        store, another = SqliteStore.open(path), SqliteStore.open(path)
        query = asked()
        await create(store, "1")
        page = await store.search(PROJECT, query)
        assert await store.search(PROJECT, query) is page
        assert ids(page) == ["1"]
        # By this one, by another process's connection, and in another project: all count.
        await create(store, "2")
        assert ids(await store.search(PROJECT, query)) == ["1", "2"]
        await create(another, "3")
        assert ids(await store.search(PROJECT, query)) == ["1", "2", "3"]
        page = await store.search(PROJECT, query)
        await create(another, "1", OTHER)
        again = await store.search(PROJECT, query)
        assert again is not page
        assert again == page
        await another.close()
        await store.close()

    runner.run(run())


def test_each_project_has_its_own_page_of_a_query(path: Path, runner: asyncio.Runner) -> None:
    async def run() -> None:
        store = SqliteStore.open(path)
        query = asked()
        await create(store, "1")
        await create(store, "2", OTHER)
        for _ in range(3):
            assert ids(await store.search(PROJECT, query)) == ["1"]
            assert ids(await store.search(OTHER, query)) == ["2"]
        await store.close()

    runner.run(run())


@pytest.mark.parametrize("bound", ["_MOST", "_LARGE"])
def test_what_has_no_room_is_found_each_time(
    path: Path, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(shown, bound, 1024)

    async def run() -> None:
        store = SqliteStore.open(path)
        query = asked()
        await create(store, "1")
        page = await store.search(PROJECT, query)
        again = await store.search(PROJECT, query)
        assert again is not page
        assert again == page
        await store.close()

    runner.run(run())


def test_a_query_that_comes_once_is_not_kept(path: Path, runner: asyncio.Runner) -> None:
    async def run() -> None:
        store = SqliteStore.open(path)
        query = parse_query("Patient", [("active", "true")])
        await create(store, "1")
        page = await store.search(PROJECT, query)
        assert await store.search(PROJECT, query) is not page
        await store.close()

    runner.run(run())


def test_what_nobody_asks_for_makes_room(
    path: Path, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For two pages of one match each.
    monkeypatch.setattr(shown, "_MOST", 3000)

    async def run() -> None:
        store = SqliteStore.open(path)
        await create(store, "1")
        first, second, third = asked(), asked(), asked()
        page = await store.search(PROJECT, first)
        other = await store.search(PROJECT, second)
        assert await store.search(PROJECT, first) is page
        await store.search(PROJECT, third)
        assert await store.search(PROJECT, first) is page
        assert await store.search(PROJECT, second) is not other
        # What is asked for again and again has room in the end, by which another has none.
        found = [await store.search(PROJECT, second) for _ in range(40)]
        assert found[-1] is found[-2]
        await store.close()

    runner.run(run())
