"""The schema of the PostgreSQL store: made once, brought up to date, never taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

import postgres
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, StoreError
from threadwell.stores.postgres import PostgresStore, migrate
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.suite.scenario import Desk
from threadwell.stores.suite.world import WORLD

#: Steps as a later version may have them.
LATER = (
    "ALTER TABLE resource ADD COLUMN colour text;",
    "-- apart\nCREATE INDEX CONCURRENTLY IF NOT EXISTS resource_colour ON resource (pid, colour);",
)


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    migrate.migrations.cache_clear()
    yield
    migrate.migrations.cache_clear()


async def _connect(*urls: str) -> None:
    stores = [PostgresStore.open(url) for url in urls]
    try:
        await asyncio.gather(*(store.connect() for store in stores))
    finally:
        for store in stores:
            await store.close()


def _columns(server: postgres.Server, url: str) -> str:
    schema = parse_address(url).schema
    return server.psql(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        f" WHERE table_schema = '{schema}' ORDER BY 1, 2;"
        " SELECT replace(indexdef, schemaname, '') FROM pg_indexes"
        f" WHERE schemaname = '{schema}' ORDER BY 1"
    )


def test_processes_that_start_at_once_make_the_schema_once(
    postgres_server: postgres.Server, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_connect(*[postgres_url] * 6))
    later = (*migrate.migrations(), *LATER)
    monkeypatch.setattr(migrate, "migrations", lambda: later)
    asyncio.run(_connect(*[postgres_url] * 6))
    schema = parse_address(postgres_url).schema
    assert postgres_server.psql(
        f"SELECT number FROM {schema}.migration ORDER BY number"
    ).split() == [str(number + 1) for number in range(len(later))]
    assert "resource_colour" in _columns(postgres_server, postgres_url)


def test_a_migrated_database_is_as_a_fresh_one(
    postgres_server: postgres.Server, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*migrate.migrations(), *LATER)
    fresh = f"{postgres_url}_fresh"
    for known in range(1, len(steps) + 1):
        monkeypatch.setattr(migrate, "migrations", lambda known=known: steps[:known])
        asyncio.run(_connect(postgres_url))
    asyncio.run(_connect(fresh))
    migrated = _columns(postgres_server, postgres_url)
    assert migrated == _columns(postgres_server, fresh)
    assert "colour" in migrated


def test_a_newer_schema_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: (*steps, *LATER))
    asyncio.run(_connect(postgres_url))
    monkeypatch.undo()
    with pytest.raises(StoreError, match="newer Threadwell"):
        asyncio.run(_connect(postgres_url))


def test_a_newer_index_is_refused(postgres_server: postgres.Server, postgres_url: str) -> None:
    schema = parse_address(postgres_url).schema
    asyncio.run(_connect(postgres_url))
    postgres_server.psql(f"UPDATE {schema}.setting SET value = '99'::bytea WHERE name = 'index'")
    with pytest.raises(StoreError, match="index of this store has version 99"):
        asyncio.run(_connect(postgres_url))


def test_an_old_index_is_made_anew(postgres_server: postgres.Server, postgres_url: str) -> None:
    schema = parse_address(postgres_url).schema

    async def work() -> None:
        store = PostgresStore.open(postgres_url)
        desk = Desk(store)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(desk.write, WORLD))))
        searches = ("Patient?name=ana", "Communication?part-of=Communication/h1&_sort=sent")
        before = [await desk.ids(search) for search in searches]
        assert all(before)
        await store.close()
        postgres_server.psql(
            f"TRUNCATE {schema}.posting, {schema}.folded;"
            f" UPDATE {schema}.setting SET value = '0' WHERE name = 'index'"
        )
        store = PostgresStore.open(postgres_url)
        desk = Desk(store)
        assert [await desk.ids(search) for search in searches] == before
        await store.close()

    asyncio.run(work())


def test_what_an_old_index_lacks_is_added(
    postgres_server: postgres.Server, postgres_url: str
) -> None:
    schema = parse_address(postgres_url).schema

    async def work() -> None:
        store = PostgresStore.open(postgres_url)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(Desk(store).write, WORLD))))
        await store.close()
        every = f"SELECT * FROM {schema}.posting ORDER BY key, sort, rid"
        before = postgres_server.psql(every)
        postgres_server.psql(
            f"DELETE FROM {schema}.posting WHERE rid IN"
            f" (SELECT rid FROM {schema}.resource WHERE type = 'Task');"
            f" UPDATE {schema}.setting SET value = '8' WHERE name = 'index'"
        )
        assert postgres_server.psql(every) != before
        await _connect(postgres_url)
        assert postgres_server.psql(every) == before

    asyncio.run(work())


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://ana:secret@db/clinic", "postgresql://"),
        ("postgresql://ana:secret@db/clinic?schema=Robert'); --", "schema="),
        ("postgresql://ana:secret@db/clinic?pool=1", "pool="),
        ("postgresql://ana:secret@db/clinic?pool=many", "pool="),
        ("postgresql://ana:secret@db/clinic?pooler=perhaps", "pooler="),
    ],
)
def test_a_url_that_names_no_store(url: str, complaint: str) -> None:
    with pytest.raises(StoreError) as error:
        PostgresStore.open(url)
    assert complaint in str(error.value)
    assert "secret" not in str(error.value)


def test_an_address() -> None:
    address = parse_address(
        "postgresql://ana:secret@db.example.org:5433/clinic?sslmode=verify-full&schema=b&pool=4"
    )
    assert address.dsn == ("postgresql://ana:secret@db.example.org:5433/clinic?sslmode=verify-full")
    assert (address.shown, address.schema, address.pool) == ("db.example.org:5433/clinic", "b", 4)
    assert address.settings["search_path"] == "b"
    assert parse_address("postgresql://db/clinic?pooler=on").settings == {}
    assert "secret" not in repr(address)


def test_without_prepared_statements_and_settings(
    postgres_server: postgres.Server, postgres_url: str
) -> None:
    """As behind a pooler, where the search path is a setting of the role."""
    schema = parse_address(postgres_url).schema
    postgres_server.psql(f"CREATE ROLE {schema} SUPERUSER LOGIN")
    postgres_server.psql(f"ALTER ROLE {schema} SET search_path = {schema}")

    async def work() -> None:
        url = postgres_url.replace("threadwell@", f"{schema}@")
        store = PostgresStore.open(f"{url}&pooler=on")
        desk = Desk(store)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(desk.write, WORLD))))
        assert await desk.ids("Communication?part-of=Communication/h2") == ["m4"]
        await store.close()

    asyncio.run(work())


def test_the_owner_of_a_database_needs_no_other_right(postgres_server: postgres.Server) -> None:
    postgres_server.psql("CREATE ROLE plain LOGIN")
    postgres_server.psql("CREATE DATABASE plain OWNER plain")
    url = urlsplit(postgres_server.url())
    asyncio.run(_connect(url._replace(netloc="plain@", path="/plain").geturl()))
    asyncio.run(_connect(url._replace(netloc="plain@", path="/plain").geturl()))
    made = "SELECT 1 FROM pg_roles WHERE rolname = 'plain' AND NOT rolsuper"
    assert postgres_server.psql(made).split() == ["1"]
