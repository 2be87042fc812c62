"""What the writer to PostgreSQL keeps of change sets that it refuses: nothing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    StoreError,
    Unmatched,
    Write,
)
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.suite.scenario import Desk, query


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Whatever was to be written is free again when nobody needs it, without a look for cycles."""
    gc.collect()
    gc.disable()
    try:
        yield
        assert not [one for one in gc.get_objects() if isinstance(one, Write)]
    finally:
        gc.enable()


def test_a_conflict_keeps_nothing_of_what_was_to_be_written(postgres_url: str) -> None:
    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))
        await desk.put({"resourceType": "Patient", "id": "first", "active": True})
        unmatched = (Unmatched(query("Patient?active=true")),)

        async def refused(n: int) -> None:
            write = desk.write({"resourceType": "Patient", "id": f"p{n}", "active": True})
            with pytest.raises(Conflict):
                await desk.store.commit(DEFAULT_PROJECT, ChangeSet((write,), unmatched))

        with _no_garbage():
            await asyncio.gather(*map(refused, range(5)))
            await asyncio.sleep(0)
        await desk.store.close()

    asyncio.run(run())


def test_what_cannot_be_written_is_not_kept(postgres_url: str) -> None:
    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))
        await desk.put({"resourceType": "Patient", "id": "first"})
        address = parse_address(postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        await connection.execute("DROP TABLE posting CASCADE")
        await connection.close()

        async def refused(n: int) -> None:
            write = desk.write({"resourceType": "Patient", "id": f"p{n}"})
            with pytest.raises(StoreError):
                await desk.commit(write)

        with _no_garbage():
            await asyncio.gather(*map(refused, range(5)))
            await asyncio.sleep(0)
        await desk.store.close()

    asyncio.run(run())
