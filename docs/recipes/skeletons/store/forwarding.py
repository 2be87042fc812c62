"""A store to begin with: it hands everything on to the memory store, and so keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence
from pathlib import Path

from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import (
    ALWAYS,
    Change,
    ChangeSet,
    IndexSize,
    Kept,
    Key,
    Page,
    Position,
    Span,
    Stored,
    Version,
)
from threadwell.stores.memory import MemoryStore
from threadwell.stores.parameters import Changing, Parameters


class ForwardingStore:
    """Replace one method after the other by your own; ``path`` is where it may keep things."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inner = MemoryStore()

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        return await self._inner.read(project, type_, id_)

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        return await self._inner.read_many(project, keys)

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        return await self._inner.read_version(project, type_, id_, version_id)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        return await self._inner.history(project, type_, id_, count, offset)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        return await self._inner.recent(project, types, before, count, span)

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        return await self._inner.content(project, id_, version_id)

    async def search(self, project: str, query: Query) -> Page:
        return await self._inner.search(project, query)

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        await self._inner.commit(project, change_set)

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        await self._inner.expunge(project, gone, kept)

    def moment(self, *, just_read: bool = False) -> Hashable | None:
        return self._inner.moment(just_read=just_read)

    async def known_as(self, *bases: str) -> frozenset[str]:
        return await self._inner.known_as(*bases)

    async def home(self, project: str, *, anew: bool = False) -> Home:
        return await self._inner.home(project, anew=anew)

    async def parameters(self, project: str) -> Parameters:
        return await self._inner.parameters(project)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:
        return await self._inner.change_parameters(project, changing)

    async def index(self, project: str) -> Parameters:
        return await self._inner.index(project)

    async def index_size(self) -> IndexSize:
        return await self._inner.index_size()

    async def projects(self) -> list[str]:
        return await self._inner.projects()

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        return await self._inner.versions(project, after, count)

    async def position(self, project: str) -> int:
        return await self._inner.position(project)

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        return await self._inner.changes(project, after, count)

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        return self._inner.follow(project, after)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        return self._inner.stirrings(project)

    async def private_kinds(self) -> list[str]:
        return await self._inner.private_kinds()

    async def get_private(self, kind: str, name: str) -> bytes | None:
        return await self._inner.get_private(kind, name)

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        return await self._inner.get_private_many(kind, names)

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        return await self._inner.list_private(kind, after=after, count=count)

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        return await self._inner.put_private(kind, name, value, only_new=only_new)

    async def close(self) -> None:
        await self._inner.close()
