"""What the store holds, with what is on its way there and that a search may not show yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threadwell.intake.commits.batch import as_stored
from threadwell.stores.contract import Key, Store, Stored, Write


class Pending:
    """The writes of the last batch, until it has arrived, before what is stored."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._stored: dict[Key, Stored] = {}
        self._contents: dict[Key, bytes] = {}

    def add(self, writes: Mapping[Key, Write]) -> None:
        """They are on their way."""
        for key, write in writes.items():
            self._stored[key] = as_stored(write)
            if write.content is not None:
                self._contents[key] = write.content

    def clear(self) -> int:
        """They have arrived, or never will; how many there were."""
        count = len(self._stored)
        self._stored.clear()
        self._contents.clear()
        return count

    async def current(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The current versions of ``keys``; raises ``StoreError``."""
        ours = {key: self._stored[key] for key in keys if key in self._stored}
        rest = [key for key in keys if key not in ours] if ours else keys
        return {**(await self._store.read_many(self._project, rest) if rest else {}), **ours}

    async def content_of(self, binary: Key) -> bytes | None:
        """The bytes of a Binary as it is, or will be; raises ``StoreError``."""
        ours = self._contents.get(binary)
        if ours is not None:
            return ours
        stored = await self._store.read(self._project, *binary)
        if stored is None or stored.deleted:
            return None
        return await self._store.content(self._project, stored.id, stored.version_id)
