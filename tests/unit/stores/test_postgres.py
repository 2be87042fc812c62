"""The PostgreSQL store keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwell.stores.postgres import PostgresStore
from threadwell.stores.suite import StoreContract


class TestPostgresStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> None:
        self.url = postgres_url

    def open(self, path: Path) -> PostgresStore:
        return PostgresStore.open(self.url)
