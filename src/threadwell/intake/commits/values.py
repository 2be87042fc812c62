"""Private values as a run sees them: those of the store, and over them those on their way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from threadwell.intake.commits.batch import Batch
from threadwell.stores.contract import WHATEVER, Kept, Key, Store, Whatever

_AT_A_TIME = 1000


class Values:
    """The values of one run; ``arrived`` tells it that nothing is on its way any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._on_their_way: dict[Key, bytes | None] = {}

    async def get_many(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """Those of the values of a kind that are there, by name."""
        out: dict[str, bytes] = {}
        rest: list[str] = []
        for name in names:
            key = Key(kind, name)
            if key not in self._on_their_way:
                rest.append(name)
            elif (value := self._on_their_way[key]) is not None:
                out[name] = value
        return {**out, **(await self._store.get_private_many(kind, rest) if rest else {})}

    async def below(
        self, kind: str, prefix: str, until: str = ""
    ) -> AsyncIterator[tuple[str, bytes]]:
        """The values whose names begin so, read a part at a time; those up to a name, if given."""
        mine = {
            key.id: value
            for key, value in self._on_their_way.items()
            if key.type == kind and key.id.startswith(prefix)
        }
        for name, value in sorted(mine.items()):
            if value is not None and not (until and name > until):
                yield name, value
        after, count = prefix, 2
        while found := await self._store.list_private(kind, after=after, count=count):
            for name, value in found.items():
                if not name.startswith(prefix) or (until and name > until):
                    return
                if name not in mine:
                    yield name, value
                after = name
            if len(found) < count:
                return
            count = _AT_A_TIME

    def put(
        self,
        batch: Batch,
        kind: str,
        name: str,
        value: bytes | None,
        before: bytes | Whatever | None = WHATEVER,
    ) -> None:
        """Write a value with the batch, ``None`` to remove it; ``before`` as in ``Kept``."""
        key = Key(kind, name)
        if key in batch.kept:  # What the batch expects is what was there before all of it.
            before = batch.kept[key].before
        batch.keep(Kept(kind, name, value, before))
        self._on_their_way[key] = value

    def arrived(self) -> None:
        """What was on its way is stored, or nothing has come of it."""
        self._on_their_way.clear()
