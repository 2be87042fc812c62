"""The store keeps the contract."""

from __future__ import annotations

from pathlib import Path

from forwarding import ForwardingStore

from threadwell.stores.contract import Store
from threadwell.stores.suite import StoreContract


class TestForwardingStore(StoreContract):
    def open(self, path: Path) -> Store:
        return ForwardingStore(path)
