"""A sort by texts or dates walks their lists as far as a page needs, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from threadwell.fhir.search import extract
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.sorted_statement import SortedStatement
from threadwell.stores.sql.in_order import SortedLists
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.suite.scenario import Desk, query

#: More than are read all of.
_MANY = 700
_SORTS = (
    "_sort=family",
    "_sort=-family&_offset=5",
    "_sort=-birthdate",
    "_sort=family,-birthdate",
    "active=true&_sort=family",
    # As a policy limits a caller: to what is of some practitioners, or has an id of some.
    "_filter=general-practitioner eq Practitioner/kim or _id eq p7&_sort=family",
)


async def _fill(store: Store) -> None:
    desk = Desk(store)
    kim = {"reference": "Practitioner/kim"}
    people = [
        {
            "resourceType": "Patient",
            "id": f"p{n}",
            "active": True,
            "generalPractitioner": [kim],
            "name": [{"family": f"Family{n * 7919 % _MANY:04}", "given": ["Ana"]}],
            "birthDate": f"19{n % 90 + 10}-01-01",
        }
        for n in range(_MANY)
    ]
    await desk.commit(*map(desk.write, people), desk.write({"resourceType": "Patient", "id": "x"}))


@pytest.mark.parametrize("search", _SORTS)
def test_a_page_reads_no_more_than_it_needs_on_sqlite(
    filled: Path, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    read = _counting(monkeypatch, "threadwell.stores.sqlite.one_search")
    walked = _counting(monkeypatch, "threadwell.stores.sqlite.sorted_walk")

    async def run() -> tuple[list[str], list[str]]:
        store = SqliteStore.open(filled)
        asked = f"Patient?{search}&_count=10"
        found = await Desk(store).ids(asked)
        plan = store.plan(DEFAULT_PROJECT, query(asked))
        await store.close()
        return found, plan

    found, plan = asyncio.run(run())
    assert len(found) == 10
    # Of a page the ends are told, and a group of those that tie is read whole.
    assert len(read) + len(walked) < 100
    assert not [step for step in plan if "TEMP B-TREE" in step and "rid" in step]


@pytest.mark.parametrize("search", _SORTS)
def test_both_databases_walk_alike(
    filled: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    async def pages(store: Store) -> list[list[str]]:
        desk = Desk(store)
        every = f"Patient?{search}"
        found = [await desk.ids(f"{every}&_count={count}") for count in (10, 300)]
        await store.close()
        return found

    async def run() -> tuple[list[list[str]], list[list[str]]]:
        postgres = PostgresStore.open(postgres_url)
        await _fill(postgres)
        return await pages(SqliteStore.open(filled)), await pages(postgres)

    read = _counting(monkeypatch, "threadwell.stores.postgres.one_search")
    of_sqlite, of_postgres = asyncio.run(run())
    assert of_sqlite == of_postgres
    assert 300 <= len(read) < 600


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("text", [5, None])
def test_the_lists_are_walked_in_their_order_on_postgres(
    postgres_url: str, text: int | None, descending: bool
) -> None:
    lists = SortedLists("x", text, () if text else (6, 7), 1)

    async def run() -> list[str]:
        store = PostgresStore.open(postgres_url)
        await store.connect()
        await store.close()
        statement = SortedStatement(1, "Patient", [])
        start: Any = ("muller", 3) if text else (4, 3)
        statement.along(lists, descending=descending, start=start)
        address = parse_address(postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {statement.sql}", *statement.params)
        await connection.close()
        return [row[0].strip().removeprefix("->").strip() for row in rows]

    plan = asyncio.run(run())
    assert not [step for step in plan if step == "Sort" or step.startswith(("Seq Scan", "Bitmap"))]
    assert any("Index" in step and ("folded" if text else "posting") in step for step in plan)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sorts") / "threadwell.db"

    async def fill() -> None:
        store = SqliteStore.open(path)
        await _fill(store)
        await store.close()

    asyncio.run(fill())
    return path


def _counting(monkeypatch: pytest.MonkeyPatch, module: str) -> list[None]:
    """Has an item for each resource whose values a module has read."""
    read: list[None] = []

    def counting(*given: Any) -> Any:
        read.append(None)
        return extract.extract(*given)

    monkeypatch.setattr(f"{module}.extract", counting)
    return read
