"""Searches that no list of the index can answer: they find nothing, and are no failure."""

from __future__ import annotations

import asyncio

import pytest

from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.suite.scenario import query

#: A moment between those that the index tells apart, which equals none.
BETWEEN = "2024-03-01T00:00:00.1235Z"


@pytest.mark.parametrize(
    "search",
    [
        f"Encounter?date=eq{BETWEEN}&date:missing=true&_total=accurate",
        f"Encounter?date=eq{BETWEEN}&date=gt{BETWEEN}&_sort=_lastUpdated&_total=accurate",
        f"Encounter?date=eq{BETWEEN}&date=gt{BETWEEN}&_sort=_lastUpdated,_lastUpdated",
        f"Encounter?date=eq{BETWEEN}&date:missing=true&date=gt{BETWEEN},eq{BETWEEN}"
        "&_sort=_lastUpdated,_lastUpdated&_total=accurate",
    ],
)
def test_nothing_is_found(empty_postgres_url: str, search: str) -> None:
    async def work() -> None:
        store = PostgresStore.open(empty_postgres_url)
        page = await store.search(DEFAULT_PROJECT, query(search))
        assert (page.matches, page.total or 0, page.more) == ([], 0, False)
        await store.close()

    asyncio.run(work())
