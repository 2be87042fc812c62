"""The memory store keeps the contract."""

from __future__ import annotations

from pathlib import Path

from threadwell.stores.memory import MemoryStore
from threadwell.stores.suite import StoreContract


class TestMemoryStore(StoreContract):
    def open(self, path: Path) -> MemoryStore:
        return MemoryStore()
