"""Searches that wait at the same time and ask the same share a statement, and what it finds."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Page, Write
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.suite.scenario import query

#: Two lists, which no other search shares; and one, which all of its shape do.
TWO, ONE = "Patient?gender=female,other&_count=3", "Patient?gender=female&_count=3"


def patient(number: int) -> Write:
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "gender": ("female", "other")[number % 2],
    }
    version = new_id(1)
    stamped, body = stamp(resource, f"p{number}", version, 1000 + number)
    return Write("Patient", f"p{number}", version, 1000 + number, stamped, body)


def ids(page: Page) -> list[str]:
    return [match.id for match in page.matches]


@pytest.mark.parametrize("asked", [TWO, ONE])
def test_many_who_ask_the_same_take_a_few_statements(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    sent: Counter[str] = Counter()
    plain = asyncpg.Connection.fetch

    async def counted(self: Any, sql: str, *values: Any, **more: Any) -> Any:
        sent[sql] += 1
        return await plain(self, sql, *values, **more)

    async def work() -> None:
        store = PostgresStore.open(empty_postgres_url)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(patient, range(8)))))
        alone = await store.search(DEFAULT_PROJECT, query(asked))
        monkeypatch.setattr(asyncpg.Connection, "fetch", counted)
        pages = await asyncio.gather(
            *(store.search(DEFAULT_PROJECT, query(asked)) for _ in range(24))
        )
        assert {tuple(ids(page)) for page in pages} == {tuple(ids(alone))}
        assert len(ids(alone)) == 3
        assert all(page.more for page in pages)
        await store.close()

    asyncio.run(work())
    assert 0 < sum(sent.values()) <= 3


@pytest.mark.parametrize("asked", [TWO, ONE])
def test_who_asks_after_a_commit_is_told_of_it(empty_postgres_url: str, asked: str) -> None:
    async def work() -> None:
        store = PostgresStore.open(empty_postgres_url)
        same = query(f"{asked}0")
        for number in range(12):
            # These may be under way when it is committed, and tell of it or not.
            before = [
                asyncio.create_task(store.search(DEFAULT_PROJECT, same)) for _ in range(number)
            ]
            await store.commit(DEFAULT_PROJECT, ChangeSet((patient(2 * number),)))
            after = [store.search(DEFAULT_PROJECT, same) for _ in range(3)]
            for page in await asyncio.gather(*after):
                assert f"p{2 * number}" in ids(page)
            await asyncio.gather(*before)
        await store.close()

    asyncio.run(work())


def test_those_that_differ_in_where_they_go_on_have_their_own_pages(
    empty_postgres_url: str,
) -> None:
    async def work() -> None:
        store = PostgresStore.open(empty_postgres_url)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(patient, range(8)))))
        first = await store.search(DEFAULT_PROJECT, query(TWO))
        asked = [query(TWO), replace(query(TWO), after=first.last), query(f"{TWO}&_offset=6")] * 5
        pages = await asyncio.gather(*(store.search(DEFAULT_PROJECT, one) for one in asked))
        assert [ids(page) for page in pages[:3]] == [
            ["p0", "p1", "p2"],
            ["p3", "p4", "p5"],
            ["p6", "p7"],
        ]
        assert pages[3:] == pages[:3] * 4
        await store.close()

    asyncio.run(work())
