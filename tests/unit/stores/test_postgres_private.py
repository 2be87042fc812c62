"""Private values that are asked for at the same time share statements in PostgreSQL."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from threadwell.stores.contract import StoreError
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.database import Database

_MANY = 60


def test_many_who_ask_at_once_share_a_statement(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        store = PostgresStore(empty_postgres_url)
        for n in range(_MANY):
            await store.put_private("kind", f"n{n}", b"%d" % n)
        await store.put_private("other", "n1", b"another")
        real, asked = Database._once, list[int]()

        async def once(self: Database, work: object) -> object:
            asked.append(1)
            return await real(self, work)  # type: ignore[arg-type]

        monkeypatch.setattr(Database, "_once", once)
        names = [f"n{n}" for n in range(_MANY)]
        found = await asyncio.gather(
            *(store.get_private("kind", name) for name in names),
            store.get_private("other", "n1"),
            store.get_private("other", "n2"),
            # Several may ask for the same one.
            store.get_private("kind", "n7"),
            store.get_private("kind", "no\0name"),
        )
        assert found == [b"%d" % n for n in range(_MANY)] + [b"another", None, b"7", None]
        assert len(asked) <= 3
        # Whoever comes later asks anew.
        await store.put_private("kind", "n7", b"new")
        assert await store.get_private("kind", "n7") == b"new"
        await store.close()

    asyncio.run(run())


def test_each_of_them_is_told_where_it_cannot_be_had(postgres_url: str) -> None:
    async def run() -> None:
        store = PostgresStore(postgres_url)
        await store.connect()
        address = parse_address(postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        await connection.execute("DROP TABLE private")
        await connection.close()
        asked = [store.get_private("kind", f"n{n}") for n in range(20)]
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(one) for one in told} == {StoreError}
        await store.close()

    asyncio.run(run())


def test_who_goes_away_takes_nothing_from_the_others(empty_postgres_url: str) -> None:
    async def run() -> None:
        store = PostgresStore(empty_postgres_url)
        await store.put_private("kind", "n", b"there")
        asked = [asyncio.create_task(store.get_private("kind", "n")) for _ in range(20)]
        await asyncio.sleep(0)
        for one in asked[::2]:
            one.cancel()
        told = await asyncio.gather(*asked[1::2])
        assert told == [b"there"] * 10
        assert await store.get_private("kind", "n") == b"there"
        await store.close()

    asyncio.run(run())
