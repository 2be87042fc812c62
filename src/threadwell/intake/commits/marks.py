"""Markers: by them, two who write at the same time notice each other where they have to.

What somebody adds to a circle need not touch anything that we have read of it. So whoever writes
to a circle replaces its marker, a private value that is compared in the same commit; of two who
have read the same one succeeds, and the other reads again. Those who write to different circles
never meet. A name tells nothing: it is a digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from threadwell.intake.commits.batch import Batch
from threadwell.stores.contract import Kept, Key, Store

KIND = "intake-mark"

#: The marker of what is said of shared addresses, and of what waits for that.
SAID = "said"


def circle_mark(circle: str) -> str:
    """What the marker of a circle marks."""
    return f"circle|{circle}"


def id_mark(channel: str, external_id: str) -> str:
    """What the marker of an id marks that several messages have."""
    return f"id|{channel}|{external_id}"


class Marks:
    """The markers that a run has read, and those that it writes.

    Each is read before what it stands for, so that it is never newer than that.
    """

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._values: dict[str, bytes | None] = {}

    async def read(self, marked: Iterable[str]) -> None:
        """Read the markers that are not at hand."""
        names = {one: self._name(one) for one in marked if one not in self._values}
        if names:
            there = await self._store.get_private_many(KIND, list(names.values()))
            self._values.update((one, there.get(name)) for one, name in names.items())

    async def read_or_make(self, marked: str) -> None:
        """Read one that everybody expects to stay: it is there from now on."""
        await self.read([marked])
        if self._values[marked] is None:
            name = self._name(marked)
            await self._store.put_private(KIND, name, b"new", only_new=True)
            self.forget([marked])
            await self.read([marked])

    def forget(self, marked: Iterable[str]) -> None:
        """Let go of markers, with what they stand for."""
        for one in marked:
            self._values.pop(one, None)

    async def renew(self, marked: str) -> None:
        """Read a marker again: what it stands for is looked through once more."""
        self.forget([marked])
        await self.read([marked])

    def put(self, batch: Batch, changed: Iterable[str], seen: Iterable[str]) -> None:
        """Let the batch replace what it changes, and be refused where what it has seen changes.

        All of them are at hand.
        """
        value = batch.version.encode()
        for one in changed:
            self._keep(batch, one, value)
        for one in seen:
            # Two who expect of each other's that it is not there would not meet.
            there = self._values[one]
            self._keep(batch, one, value if there is None else there)

    def _keep(self, batch: Batch, marked: str, value: bytes | None) -> None:
        name = self._name(marked)
        if Key(KIND, name) not in batch.kept:
            batch.keep(Kept(KIND, name, value, self._values[marked]))
            self._values[marked] = value

    def _name(self, marked: str) -> str:
        return f"{self._project}/{sha256(marked.encode()).hexdigest()[:32]}"
