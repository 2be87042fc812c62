"""The PostgreSQL store keeps the contract behind PgBouncer, whose connections change hands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import pgbouncer
import postgres
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.suite.changes import Changes
from threadwell.stores.suite.news import News
from threadwell.stores.suite.preconditions import Preconditions
from threadwell.stores.suite.versions import Versions

LEFT_OUT = "left out: "
_DATABASES = count()


@pytest.fixture(scope="session")
def pooler(postgres_server: postgres.Server) -> Iterator[pgbouncer.Pooler]:
    """A PgBouncer that gives each transaction another connection."""
    program = pgbouncer.find()
    if program is None:
        pytest.skip(LEFT_OUT + "no PgBouncer (make test installs Debian's as root)")
    pooler = pgbouncer.start(program, postgres_server)
    yield pooler
    pooler.remove()


class TestPooledStore(Versions, Changes, Preconditions, News):
    """What does not hang on the connection, as the many searches, is tested without a pooler."""

    @pytest.fixture(autouse=True)
    def _database(
        self, postgres_server: postgres.Server, pooler: pgbouncer.Pooler
    ) -> Iterator[None]:
        name = f"pooled{next(_DATABASES)}"
        postgres_server.psql(f"CREATE DATABASE {name}")
        settings = [f"ALTER DATABASE {name} SET {it}" for it in pgbouncer.SETTINGS]
        postgres_server.psql("; ".join(settings))
        self.url = f"{pooler.url(name)}&pooler=on"
        yield
        postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")

    def open(self, path: Path) -> PostgresStore:
        return PostgresStore.open(self.url)
