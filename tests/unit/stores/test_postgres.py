"""The PostgreSQL store keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lent_schemas
import postgres
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.suite import StoreContract


class TestPostgresStore(StoreContract):
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

    def open(self, path: Path) -> PostgresStore:
        self.lent[path] = self.schemas.lend()
        return PostgresStore.open(f"{self.server.url()}&schema={self.lent[path]}")
