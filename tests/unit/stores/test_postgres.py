"""The PostgreSQL store keeps the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import lent_schemas
import postgres
from kept_connections import KeptConnections
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.suite import StoreContract


class TestPostgresStore(StoreContract):
    runner: asyncio.Runner
    kept: KeptConnections

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _loop(cls) -> Iterator[None]:
        """One event loop for all: what the store of one test has closed goes to the next."""
        cls.runner = asyncio.Runner()
        cls.kept = KeptConnections(cls.runner)
        yield
        cls.kept.close()

    @pytest.fixture(autouse=True)
    def _schemas(
        self,
        postgres_server: postgres.Server,
        postgres_schemas: lent_schemas.LentSchemas,
        tmp_path: Path,
    ) -> Iterator[None]:
        self.server, self.schemas = postgres_server, postgres_schemas
        self.lent: dict[Path, str] = {}
        yield
        # The stores that tests share have other folders.
        if tmp_path in self.lent:
            self.schemas.take_back(self.lent[tmp_path])

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        with self.kept.lent():
            self.runner.run(_to_its_end(work))

    def open(self, path: Path) -> PostgresStore:
        self.lent[path] = self.schemas.lend()
        return PostgresStore.open(f"{self.server.url()}&schema={self.lent[path]}")


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Whatever a test has begun ends with it, as on a loop of its own."""
    try:
        await work
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
