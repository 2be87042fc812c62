"""What the writer to PostgreSQL keeps of change sets that it refuses: nothing."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from threadwell.stores.contract import (
    StoreError,
)
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.suite.scenario import Desk, nothing_kept


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

        with nothing_kept():
            await asyncio.gather(*map(refused, range(5)))
            await asyncio.sleep(0)
        await desk.store.close()

    asyncio.run(run())
