"""Reads that wait at the same time share a statement, and none is left waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.postgres import PostgresStore, reads


def patient(number: int) -> Write:
    version = new_id(1)
    stamped, body = stamp({"resourceType": "Patient"}, f"p{number}", version, 1000)
    return Write("Patient", f"p{number}", version, 1000, stamped, body)


def test_a_read_that_comes_as_others_end_is_answered(empty_postgres_url: str) -> None:
    async def work() -> None:
        store = PostgresStore.open(empty_postgres_url)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(patient, range(32)))))

        async def reader(first: int, reads: int) -> None:
            for number in range(first, first + reads):
                id_ = f"p{number % 32}"
                found = await store.read(DEFAULT_PROJECT, "Patient", id_)
                assert found is not None
                assert found.id == id_

        # Each reads on as soon as it is answered, and nobody comes after the last of them.
        for turn in range(60):
            readers = [reader(first, 1 + (first + turn) % 4) for first in range(2 + turn % 7)]
            await asyncio.wait_for(asyncio.gather(*readers), 60)
        assert await store.read(DEFAULT_PROJECT, "Patient", "nobody") is None
        await store.close()

    asyncio.run(work())


def test_two_statements_end_in_the_same_moment_and_one_who_was_answered_reads_on(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        store = PostgresStore.open(empty_postgres_url)
        await store.commit(DEFAULT_PROJECT, ChangeSet((patient(0), patient(1))))
        read_at, arrived, both = reads.read_at, 0, asyncio.Event()

        async def together(*of: Any) -> Any:
            nonlocal arrived
            found = await read_at(*of)
            arrived += 1
            if arrived == 2:
                asyncio.get_running_loop().call_soon(both.set)
            await both.wait()
            return found

        monkeypatch.setattr(reads, "read_at", together)

        async def reader(id_: str, times: int) -> None:
            for _ in range(times):
                assert await store.read(DEFAULT_PROJECT, "Patient", id_) is not None

        first = asyncio.create_task(reader("p0", 2))
        # By now its statement is under way, so that the other one has one of its own.
        await asyncio.sleep(0.05)
        await asyncio.wait_for(asyncio.gather(first, reader("p1", 1)), 60)
        await store.close()

    asyncio.run(work())
