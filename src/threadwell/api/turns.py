"""Whose turn it is to write a resource that many want to write at once."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from threadwell.stores.contract import Key


class Turns:
    """A lock for each resource that somebody waits for, and none for any other.

    Only who has lost a race takes one, so that the many who meet nobody wait for nobody.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Key | None, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: Key | None) -> asyncio.Lock:
        """The lock of a resource; ``None`` is what a condition did not find."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
