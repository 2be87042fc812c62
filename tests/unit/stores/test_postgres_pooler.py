"""The PostgreSQL store keeps the contract behind PgBouncer, whose connections change hands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import lent_schemas
import pgbouncer
import postgres
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.suite.changes import Changes
from threadwell.stores.suite.news import News
from threadwell.stores.suite.preconditions import Preconditions
from threadwell.stores.suite.versions import Versions

LEFT_OUT = "left out: "


@pytest.fixture(scope="session")
def pooler(postgres_server: postgres.Server) -> Iterator[pgbouncer.Pooler]:
    """A PgBouncer that gives each transaction another connection."""
    program = pgbouncer.find()
    if program is None:
        pytest.skip(LEFT_OUT + "no PgBouncer (make test installs Debian's as root)")
    pooler = pgbouncer.start(program, postgres_server)
    yield pooler
    pooler.remove()


@pytest.fixture(scope="session")
def database(postgres_server: postgres.Server) -> str:
    """A database where each connection is set as ours are."""
    postgres_server.psql("CREATE DATABASE pooled")
    settings = [f"ALTER DATABASE pooled SET {it}" for it in pgbouncer.SETTINGS]
    postgres_server.psql("; ".join(settings))
    return "pooled"


async def _emptied(url: str) -> None:
    connection = await asyncpg.connect(url)
    await lent_schemas.empty(connection, parse_address(url).schema)
    await connection.close()


class TestPooledStore(Versions, Changes, Preconditions, News):
    """What does not hang on the connection, as the many searches, is tested without a pooler."""

    @pytest.fixture(autouse=True)
    def _database(
        self, database: str, postgres_server: postgres.Server, pooler: pgbouncer.Pooler
    ) -> Iterator[None]:
        self.url = f"{pooler.url(database)}&pooler=on"
        yield
        asyncio.run(_emptied(postgres_server.url(database)))

    def open(self, path: Path) -> PostgresStore:
        return PostgresStore.open(self.url)
