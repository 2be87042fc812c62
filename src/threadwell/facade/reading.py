"""A store that is only read, which may be where nothing can be written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence

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
    Store,
    Stored,
    StoreError,
    Version,
)
from threadwell.stores.parameters import Changing, Parameters

_READ_ONLY = "the store was opened for reading only"


class ReadingStore:
    """A ``Store`` over ``base`` that takes no resources.

    What a server keeps for itself (its keys, and the bases by which it is known) is kept in
    ``base`` where that can be written, as any other does, and else for as long as this is open.
    """

    def __init__(self, base: Store) -> None:
        self._base = base
        self._own: dict[tuple[str, str], bytes] = {}

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        return await self._base.read(project, type_, id_)

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        return await self._base.read_many(project, keys)

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        return await self._base.read_version(project, type_, id_, version_id)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        return await self._base.history(project, type_, id_, count, offset)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        return await self._base.recent(project, types, before, count, span)

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        return await self._base.content(project, id_, version_id)

    async def search(self, project: str, query: Query) -> Page:
        return await self._base.search(project, query)

    async def commit(self, _project: str, _change_set: ChangeSet, /) -> None:
        raise StoreError(_READ_ONLY)

    async def expunge(
        self,
        project: str,  # noqa: ARG002
        gone: Sequence[Stored],  # noqa: ARG002
        kept: Sequence[Kept] = (),  # noqa: ARG002
    ) -> None:
        raise StoreError(_READ_ONLY)

    def moment(self, *, just_read: bool = False) -> Hashable | None:
        return self._base.moment(just_read=just_read)

    async def known_as(self, *bases: str) -> frozenset[str]:
        try:
            return await self._base.known_as(*bases)
        except StoreError:
            # It knows of them from now on, though it could not write them down.
            return frozenset(bases)

    async def home(self, project: str, *, anew: bool = False) -> Home:
        return await self._base.home(project, anew=anew)

    async def parameters(self, project: str) -> Parameters:
        return await self._base.parameters(project)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:  # noqa: ARG002
        raise StoreError(_READ_ONLY)

    async def index_size(self) -> IndexSize:
        return await self._base.index_size()

    async def index(self, project: str) -> Parameters:
        return await self._base.parameters(project)

    async def projects(self) -> list[str]:
        return await self._base.projects()

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        return await self._base.versions(project, after, count)

    async def position(self, project: str) -> int:
        return await self._base.position(project)

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        return await self._base.changes(project, after, count)

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        return self._base.follow(project, after)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        return self._base.stirrings(project)

    async def private_kinds(self) -> list[str]:
        return sorted({*await self._base.private_kinds(), *(kind for kind, _ in self._own)})

    async def get_private(self, kind: str, name: str) -> bytes | None:
        own = self._own.get((kind, name))
        return own if own is not None else await self._base.get_private(kind, name)

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        own = {name: self._own[kind, name] for name in names if (kind, name) in self._own}
        return {**await self._base.get_private_many(kind, names), **own}

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        own = {name: v for (of, name), v in self._own.items() if of == kind and name > after}
        found = {**await self._base.list_private(kind, after=after, count=count), **own}
        return {name: found[name] for name in sorted(found)[:count]}

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        try:
            return await self._base.put_private(kind, name, value, only_new=only_new)
        except StoreError:
            if value is None or not only_new:
                raise
            self._own[kind, name] = value
            return True

    async def close(self) -> None:
        await self._base.close()
