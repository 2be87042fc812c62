"""What of a watched folder is done with: the store keeps it, so that it is true of the store.

A file that was taken into one store is new to another one, and a store that is put back from a
backup takes in again what came since.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path

from threadwell.stores.contract import ChangeSet, Kept, Store

_KIND = "watched"


class Memory:
    """The traces of what is done with, by a digest of its name."""

    def __init__(self, store: Store, project: str, folder: Path) -> None:
        self._store = store
        self._project = project
        self._prefix = f"{_digest(project)}/{_digest(os.path.realpath(folder))}/"
        self._traces: dict[str, str] = {}

    async def start(self) -> None:
        """Read what is kept of the folder."""
        found = await self._store.list_private(_KIND, after=self._prefix)
        self._traces = {
            name: trace.decode() for name, trace in found.items() if name.startswith(self._prefix)
        }

    def is_done(self, name: str, trace: str) -> bool:
        """Whether a file or folder was taken in as it is now."""
        return self._traces.get(self._key(name)) == trace

    async def keep(self, done: Iterable[tuple[str, str]]) -> None:
        """Keep that files of that name and trace are done with."""
        new = {self._key(name): trace for name, trace in done}
        kept = tuple([Kept(_KIND, key, trace.encode()) for key, trace in new.items()])
        if kept:
            await self._store.commit(self._project, ChangeSet((), kept=kept))
        self._traces |= new

    async def forget_all_but(self, names: Collection[str]) -> None:
        """Forget what is not there any more."""
        there = {self._key(name) for name in names}
        if gone := [key for key in self._traces if key not in there]:
            kept = tuple([Kept(_KIND, key, None) for key in gone])
            await self._store.commit(self._project, ChangeSet((), kept=kept))
            for key in gone:
                del self._traces[key]

    def _key(self, name: str) -> str:
        return self._prefix + _digest(name)


def _digest(text: str) -> str:
    return sha256(os.fsencode(text)).hexdigest()[:32]
