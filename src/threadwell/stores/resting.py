"""What a decision rests on: the reads that were made for it, each still so when it is committed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import (
    ALWAYS,
    Change,
    Key,
    Page,
    Reading,
    Span,
    Stored,
    Unchanged,
)


class Resting:
    """Reads that remember the current versions that they have shown.

    What was not there is not remembered, nor what a search has passed over.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._seen: dict[Key, Stored] = {}

    def rests(self, but: Collection[Key] = ()) -> tuple[Unchanged, ...]:
        """What is to be unchanged, ``but`` for what is written itself."""
        return tuple(Unchanged(one) for key, one in self._seen.items() if key not in but)

    def _saw(self, stored: Stored) -> None:
        # The first that was shown counts: of a later one the decision knows only a part.
        self._seen.setdefault(Key(stored.type, stored.id), stored)

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        stored = await self._reading.read(project, type_, id_)
        if stored is not None:
            self._saw(stored)
        return stored

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        found = await self._reading.read_many(project, keys)
        for stored in found.values():
            self._saw(stored)
        return found

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        return await self._reading.read_version(project, type_, id_, version_id)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        return await self._reading.history(project, type_, id_, count, offset)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        return await self._reading.recent(project, types, before, count, span)

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        return await self._reading.content(project, id_, version_id)

    async def search(self, project: str, query: Query) -> Page:
        page = await self._reading.search(project, query)
        for stored in (*page.matches, *page.included):
            self._saw(stored)
        return page
