"""Hot searches of the PostgreSQL store walk an index in its order, whatever is in the tables."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from threadwell.fhir.search.query import Place
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.news import CHANGES
from threadwell.stores.postgres.searches import shared_sql
from threadwell.stores.suite.scenario import Desk, query
from threadwell.stores.suite.world import WORLD

ONE_STATEMENT = [
    "Communication?part-of=Communication/h1&_sort=sent",
    "Communication?part-of=Communication/h1&_sort=-sent&_count=5&_offset=10",
    "Communication?part-of:missing=true&_sort=-_lastUpdated",
    "Communication?part-of:missing=true&status:not=completed,entered-in-error,stopped,unknown"
    "&_sort=-_lastUpdated",
    "Communication?encounter=Encounter/e1&part-of:missing=true",
    "Communication?recipient=Practitioner/kim&part-of:missing=true&_sort=-_lastUpdated",
    "Communication?identifier=https://example.org/ids|1",
    "Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|VR&_sort=-_lastUpdated",
    "Encounter?part-of=Encounter/e1",
    "Task?code=read-receipt&owner=Practitioner/kim&status=requested",
    "Task?code=respond&owner=Practitioner/kim&status=requested,accepted&_sort=authored-on",
    "Task?code=respond&status=requested,accepted,in-progress&_sort=authored-on",
    "Task?code=quarantine&status=requested&_sort=-_lastUpdated",
    "Patient?_lastUpdated=ge2024-01-01&_sort=_lastUpdated",
    "Patient",
]
#: Searches that look at more than one lead, or have more to tell than a page.
SEVERAL_STATEMENTS = [
    "Patient?_total=accurate",
    "Patient?name=ana",
    "Patient?general-practitioner.name=kim",
    "Patient?gender=female&_sort=-birthdate",
    "Task?_include=Task:focus",
]


async def _plans(url: str, searches: list[str]) -> list[list[str]]:
    store = PostgresStore.open(url)
    desk = Desk(store)
    # Before and after there is something in the tables.
    plans = [await store.plan(DEFAULT_PROJECT, query(search)) for search in searches]
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(desk.write, WORLD))))
    plans += [await store.plan(DEFAULT_PROJECT, query(search)) for search in searches]
    await store.close()
    return plans


def test_a_hot_search_scans_no_table_and_sorts_nothing(postgres_url: str) -> None:
    for plan in asyncio.run(_plans(postgres_url, ONE_STATEMENT)):
        assert any("Index Only Scan" in step for step in plan)
        assert _dear(plan) == []


def test_searches_that_share_a_statement_are_walks_in_a_loop(postgres_url: str) -> None:
    async def plans() -> list[list[str]]:
        store = PostgresStore.open(postgres_url)
        await store.connect()
        found: list[list[str]] = []
        for descending in (True, False):
            sql = f"EXPLAIN (COSTS OFF) {shared_sql(descending=descending, bounded=True)}"
            async with (await store._database.pool()).acquire() as connection:
                rows = await connection.fetch(sql, 1, [1, 2, 3], 21, 1000)
            found.append([row[0] for row in rows])
        await store.close()
        return found

    for plan in asyncio.run(plans()):
        assert plan[0] == "Nested Loop"
        assert any("Index Only Scan" in step and "posting" in step for step in plan)
        assert _dear(plan) == []


def test_a_page_that_goes_on_begins_at_its_place(postgres_url: str) -> None:
    async def plans() -> list[list[str]]:
        store = PostgresStore.open(postgres_url)
        asked = [
            replace(query(search), after=Place((1_712_739_600_000_000,), 7))
            for search in ONE_STATEMENT
        ]
        found = [await store.plan(DEFAULT_PROJECT, one) for one in asked]
        await store.close()
        return found

    for plan in asyncio.run(plans()):
        assert any("Index Cond" in line and "(ROW(" in line for line in plan)
        assert _dear(plan) == []


def test_news_is_read_from_where_one_is(postgres_url: str) -> None:
    async def plan() -> list[str]:
        store = PostgresStore.open(postgres_url)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(Desk(store).write, WORLD))))
        await store.close()
        address = parse_address(postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {CHANGES}", 1, 0, 100)
        await connection.close()
        return [row[0] for row in rows]

    found = asyncio.run(plan())
    assert sum("change_pkey" in step for step in found) == 1
    assert _dear(found) == []


def _dear(plan: list[str]) -> list[str]:
    """The steps whose cost grows with the tables."""
    steps = [line.strip().removeprefix("->").strip() for line in plan]
    # A merge of lists names its order too, as "Sort Key:".
    return [s for s in steps if s == "Sort" or s.startswith(("Seq Scan", "Bitmap", "Hash"))]


@pytest.mark.parametrize("search", SEVERAL_STATEMENTS)
def test_other_searches_have_no_single_plan(postgres_url: str, search: str) -> None:
    assert asyncio.run(_plans(postgres_url, [search])) == [[], []]


def test_messages_are_counted_without_a_look_at_each(postgres_url: str) -> None:
    async def run() -> None:
        store = PostgresStore.open(postgres_url)
        desk = Desk(store)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(desk.write, WORLD))))
        for missing in ("true", "false"):
            asked = f"Communication?part-of:missing={missing}"
            every = await desk.ids(f"{asked}&_count=1000")
            counted = await store.search(DEFAULT_PROJECT, query(f"{asked}&_summary=count"))
            assert counted.total == len(every) > 0
        await store.close()

    asyncio.run(run())
