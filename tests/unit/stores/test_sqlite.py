"""The SQLite store keeps the contract."""

from __future__ import annotations

from pathlib import Path

from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.suite import StoreContract


class TestSqliteStore(StoreContract):
    def open(self, path: Path) -> SqliteStore:
        return SqliteStore.open(path / "threadwell.db")
