"""A store that is only tried out: it reads another one, and what is written stays in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from msgspec import structs

from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.query import Place, Query
from threadwell.stores.contract import (
    ALWAYS,
    Change,
    ChangeSet,
    Conflict,
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
    Whatever,
)
from threadwell.stores.memory import MemoryStore
from threadwell.stores.parameters import Changing, Parameters


class TrialStore:
    """A ``Store`` over ``base``, which it never changes; ``close`` lets ``base`` be.

    Made for a dry run that first takes in a few people. A search shows what was written before
    the rest, and counts what was rewritten twice; chains do not reach from one store into the
    other, and pages only go forward; preconditions that are queries are not looked at;
    ``versions``, ``changes`` and what ``follow`` tells are those of ``base``.
    """

    def __init__(self, base: Store) -> None:
        self._base = base
        self._own = MemoryStore()
        self._written: set[tuple[str, Key]] = set()
        self._gone: set[tuple[str, str]] = set()

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        return await self._home(project, Key(type_, id_)).read(project, type_, id_)

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        there = await self._base.read_many(project, keys)
        return {**there, **await self._own.read_many(project, keys)}

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        own = await self._own.read_version(project, type_, id_, version_id)
        return own or await self._base.read_version(project, type_, id_, version_id)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        return await self._home(project, Key(type_, id_)).history(
            project, type_, id_, count, offset
        )

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        return await self._home(project, Key("Binary", id_)).content(project, id_, version_id)

    async def search(self, project: str, query: Query) -> Page:
        own = await self._own.search(
            project, replace(query, count=1000, offset=0, after=None, most=None)
        )
        before, after = _own_place(query, len(own.matches))
        start = before + query.offset
        shown = own.matches[start : start + query.count]
        rest = replace(
            query,
            count=query.count - len(shown),
            offset=max(0, start - len(own.matches)),
            after=after,
        )
        base = await self._base.search(project, rest)
        others = [one for one in base.matches if not self._is_written(project, one)]
        total = None if base.total is None else base.total + len(own.matches)
        included = [*own.included, *base.included]
        more = base.more or start + query.count < len(own.matches)
        last = base.last or Place((), min(start + query.count, len(own.matches)))
        return Page([*shown, *others], included, total, more, last=last)

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        for write in change_set.writes:
            key = Key(write.type, write.id)
            there = await self.read(project, *key)
            if (there and there.version_id) != (write.before and write.before.version_id):
                raise Conflict(key)
        for one in change_set.kept:
            if not isinstance(one.before, Whatever):
                there_kept = await self.get_private(one.kind, one.name)
                if there_kept != one.before:
                    raise Conflict(Key(one.kind, one.name))
        keys = [(project, Key(write.type, write.id)) for write in change_set.writes]
        own = [
            write if key in self._written else structs.replace(write, before=None)
            for key, write in zip(keys, change_set.writes, strict=True)
        ]
        await self._own.commit(project, ChangeSet(tuple(own)))
        self._written.update(keys)
        for one in change_set.kept:
            await self.put_private(one.kind, one.name, one.value)

    async def expunge(
        self,
        project: str,  # noqa: ARG002
        gone: Sequence[Stored],  # noqa: ARG002
        kept: Sequence[Kept] = (),  # noqa: ARG002
    ) -> None:
        raise StoreError("nothing is expunged in a trial")

    def moment(self, *, just_read: bool = False) -> None:
        """It is over two stores, and asked for no longer than one takes."""

    async def known_as(self, *bases: str) -> frozenset[str]:
        return await self._own.known_as(*await self._base.known_as(*bases))

    async def home(self, project: str, *, anew: bool = False) -> Home:
        return await self._base.home(project, anew=anew)

    async def parameters(self, project: str) -> Parameters:
        return await self._base.parameters(project)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:  # noqa: ARG002
        raise StoreError("a trial changes nothing")

    async def index_size(self) -> IndexSize:
        return await self._base.index_size()

    async def index(self, project: str) -> Parameters:
        return await self._base.parameters(project)

    async def projects(self) -> list[str]:
        return sorted({*await self._base.projects(), *await self._own.projects()})

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        return await self._base.versions(project, after, count)

    async def position(self, project: str) -> int:
        return await self._base.position(project)

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        return await self._base.changes(project, after, count)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        return await self._base.recent(project, types, before, count, span)

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        return self._base.follow(project, after)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        return self._base.stirrings(project)

    async def private_kinds(self) -> list[str]:
        return sorted({*await self._base.private_kinds(), *await self._own.private_kinds()})

    async def get_private(self, kind: str, name: str) -> bytes | None:
        own = await self._own.get_private(kind, name)
        if own is not None or (kind, name) in self._gone:
            return own
        return await self._base.get_private(kind, name)

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        rest = [name for name in names if (kind, name) not in self._gone]
        there = await self._base.get_private_many(kind, rest)
        return {**there, **await self._own.get_private_many(kind, names)}

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        there = await self._base.list_private(kind, after=after)
        found = {name: value for name, value in there.items() if (kind, name) not in self._gone}
        found |= await self._own.list_private(kind, after=after)
        return {name: found[name] for name in sorted(found)[:count]}

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        if only_new and await self.get_private(kind, name) is not None:
            return False
        (self._gone.add if value is None else self._gone.discard)((kind, name))
        return await self._own.put_private(kind, name, value)

    async def close(self) -> None:
        """Forget what was written."""

    def _home(self, project: str, key: Key) -> Store:
        return self._own if (project, key) in self._written else self._base

    def _is_written(self, project: str, stored: Stored) -> bool:
        return (project, Key(stored.type, stored.id)) in self._written


def _own_place(query: Query, own: int) -> tuple[int, Place | None]:
    """How many of its own a query has behind it, and where it goes on in the base.

    A place that has no values is among its own.
    """
    after = query.after
    if after is None:
        return 0, None
    return (own, after) if after.values else (after.number, None)
