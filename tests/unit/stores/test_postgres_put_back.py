"""A database that is put back to an earlier state while a process goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from threadwell.fhir.search.query import Query, Total
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address

_TABLES = ("resource", "version", "posting", "folded", "change")


def _writes(type_: str, ids: Sequence[str]) -> ChangeSet:
    writes = []
    for id_ in ids:
        resource, body = stamp({"resourceType": type_}, id_, f"v-{id_}", 1)
        writes.append(Write(type_, id_, f"v-{id_}", 1, resource, body))
    return ChangeSet(tuple(writes))


def test_a_total_is_that_of_what_is_there(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threadwell.stores.postgres.counting.SHORT", 2)

    async def all_of_it() -> None:
        store = PostgresStore.open(empty_postgres_url)
        address = parse_address(empty_postgres_url)
        beside = await asyncpg.connect(address.dsn, server_settings=address.settings)

        async def total() -> int | None:
            asked = Query("Communication", count=0, total=Total.ACCURATE)
            return (await store.search(DEFAULT_PROJECT, asked)).total

        await store.commit(DEFAULT_PROJECT, _writes("Communication", [f"a{n}" for n in range(10)]))
        for name in _TABLES:
            await beside.execute(f"CREATE TEMP TABLE was_{name} AS TABLE {name}")
        await store.commit(DEFAULT_PROJECT, _writes("Communication", ["b1", "b2", "b3"]))
        assert await total() == 13
        for name in _TABLES:
            await beside.execute(f"TRUNCATE {name}; INSERT INTO {name} TABLE was_{name}")
        # From there on it comes to the same position, and beyond, by another way.
        await store.commit(DEFAULT_PROJECT, _writes("Patient", ["c1", "c2", "c3"]))
        assert await total() == 10
        await store.commit(DEFAULT_PROJECT, _writes("Communication", ["d1"]))
        assert await total() == 11
        await beside.close()
        await store.close()

    asyncio.run(all_of_it())
