"""A store in memory: the plainest reading of the contract, and the reference for every other.

It keeps nothing when the process ends. Tests and ``--dry-run`` stand on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from itertools import islice

from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.query import Query
from threadwell.fhir.search.references import normal_base
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
    Stored,
    Version,
    Whatever,
)
from threadwell.stores.following import BATCH, Bell, Read, follow, stirrings
from threadwell.stores.memory_project import Project
from threadwell.stores.parameters import PLAIN, Changing, Parameters
from threadwell.stores.sql.prepare import check_deleted, check_once, definitions
from threadwell.stores.unindexed import check_indexed


class MemoryStore:
    """A ``Store`` of plain dicts. No method waits, so each is atomic for the tasks of one loop."""

    def __init__(self) -> None:
        self._bases: frozenset[str] = frozenset()
        self._projects: dict[str, Project] = defaultdict(lambda: Project(bases=self._bases))
        self._private: dict[tuple[str, str], bytes] = {}
        self._parameters: dict[str, Parameters] = {}
        self._bell = Bell()
        self._moment = 0

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        row = self._projects[project].rows.get(Key(type_, id_))
        return row.current if row else None

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        rows = self._projects[project].rows
        return {key: rows[key].current for key in keys if key in rows}

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        row = self._projects[project].rows.get(Key(type_, id_))
        versions = row.versions if row else ()
        return next((v for v in versions if v.version_id == version_id), None)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        row = self._projects[project].rows.get(Key(type_, id_))
        versions = row.versions[::-1] if row else []
        return versions[offset : offset + count], len(versions)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        of = self._projects[project]
        found: list[Change] = []
        for position in range(min(before - 1, len(of.log)), 0, -1):
            told = of.log[position - 1]
            if told is None or not told[0].version_id:
                continue
            change = Change(position, *told)
            if (not types or change.stored.type in types) and of.is_within(change, span):
                found.append(change)
                if len(found) >= count:
                    break
        return found

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        row = self._projects[project].rows.get(Key("Binary", id_))
        return row.contents.get(version_id) if row else None

    async def search(self, project: str, query: Query) -> Page:
        found = (await self.parameters(project)).catalogue.found(query.type)
        for filter_ in query.filters:
            check_indexed(query.type, filter_, found)
        return self._projects[project].search(query)

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        check_once(change_set)
        self._expect_kept(change_set.kept)
        self._projects[project].commit(change_set)
        if changing := definitions(change_set.writes):
            await self.change_parameters(project, changing)
        self._moment += 1
        for one in change_set.kept:
            self._keep(one.kind, one.name, one.value)
        self._bell.ring(project)

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        check_deleted(gone, kept)
        self._projects[project].expunge(gone)
        self._moment += 1
        for one in kept:
            self._keep(one.kind, one.name, one.value)
        self._bell.ring(project)

    def moment(self, *, just_read: bool = False) -> int:  # noqa: ARG002
        return self._moment

    async def known_as(self, *bases: str) -> frozenset[str]:
        self._moment += 1
        self._bases |= set(map(normal_base, bases))
        for name in self._projects:
            self._know(name)
        return self._bases

    async def home(self, project: str, *, anew: bool = False) -> Home:  # noqa: ARG002
        found = await self.parameters(project)
        return Home(self._bases, found.catalogue, found.turn)

    async def parameters(self, project: str) -> Parameters:
        return self._parameters.get(project, PLAIN)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:
        before = await self.parameters(project)
        after = changing(before)
        if after != before:
            while after.pending:
                after = after.finished()
            self._moment += 1
            self._parameters[project] = after
            self._know(project)
            self._bell.ring(project)
        return after

    async def index_size(self) -> IndexSize:
        return IndexSize(0, 0, 0, 0)

    async def index(self, project: str) -> Parameters:
        return await self.parameters(project)

    async def projects(self) -> list[str]:
        return [name for name, project in self._projects.items() if project.rows]

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        rows = self._projects[project].rows.values()
        following = (version for row in rows for version in row.following(after))
        return list(islice(following, count))

    async def position(self, project: str) -> int:
        return len(self._projects[project].log)

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        log = enumerate(self._projects[project].log[after:], after + 1)
        return list(islice((Change(n, *told) for n, told in log if told is not None), count))

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        async def read(after: int) -> Read:
            return Read(await self.changes(project, after, BATCH))

        return follow(self._bell, project, after, read)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        return stirrings(self._bell, project)

    async def private_kinds(self) -> list[str]:
        return sorted({kind for kind, _ in self._private})

    async def get_private(self, kind: str, name: str) -> bytes | None:
        return self._private.get((kind, name))

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        there = self._private
        return {name: there[kind, name] for name in names if (kind, name) in there}

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        names = sorted(name for of, name in self._private if of == kind and name > after)
        return {name: self._private[kind, name] for name in names[:count]}

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        if only_new and (kind, name) in self._private:
            return False
        self._keep(kind, name, value)
        return True

    async def close(self) -> None:
        """There is nothing to let go of but those who follow."""
        self._bell.close()

    def _know(self, project: str) -> None:
        catalogue = self._parameters.get(project, PLAIN).catalogue
        self._projects[project].know(Home(self._bases, catalogue))

    def _expect_kept(self, kept: Sequence[Kept]) -> None:
        for one in kept:
            there = self._private.get((one.kind, one.name))
            if not isinstance(one.before, Whatever) and there != one.before:
                raise Conflict(Key(one.kind, one.name))

    def _keep(self, kind: str, name: str, value: bytes | None) -> None:
        if value is None:
            self._private.pop((kind, name), None)
        else:
            self._private[kind, name] = value
