"""Logins over each kind of store, with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kept_connections import KeptConnections
from tests.unit.logins.login_stand_in import ANNA, ASKED, BERT, BY, NOON
from threadwell.logins.logins import Logins
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

RUNNER = asyncio.Runner()
KEPT = KeptConnections(RUNNER)


class World:
    """The logins of a store, and time."""

    asked, by, anna, bert = ASKED, BY, ANNA, BERT

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        self.logins = self.of(DEFAULT_PROJECT)
        self.run = RUNNER.run

    def of(self, project: str, secret: bytes = b"s" * 32) -> Logins:
        return Logins(self.store, project, secret, lambda: self.now)

    async def in_(self, asked: Any = ASKED, member: Any = ANNA) -> str:
        """The code of somebody who has shown who they are."""
        login = await self.logins.begin(asked)
        await self.logins.authenticated(login.id, member, ["pwd"])
        return await self.logins.code(login.id)


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    yield
    KEPT.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    store: Store
    with KEPT.lent():
        match request.param:
            case "memory":
                store = MemoryStore()
            case "sqlite":
                store = SqliteStore.open(tmp_path / "threadwell.db")
            case _:
                store = PostgresStore.open(request.getfixturevalue("empty_postgres_url"))
        yield World(store)
        RUNNER.run(store.close())
