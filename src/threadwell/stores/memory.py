"""A store in memory: the plainest reading of the contract, and the reference for every other.

It keeps nothing when the process ends. Tests and ``--dry-run`` stand on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import Subject, matches
from threadwell.fhir.search.query import Query, Total
from threadwell.fhir.search.references import contained, leads_to, normal_base, with_types
from threadwell.fhir.search.values import IndexValues, ReferenceValue
from threadwell.stores.contract import (
    ALWAYS,
    WHATEVER,
    Change,
    ChangeSet,
    Conflict,
    IndexSize,
    Key,
    Page,
    Position,
    Span,
    Stored,
    Version,
    Write,
)
from threadwell.stores.following import BATCH, Bell, follow, stirrings
from threadwell.stores.including import (
    Asked,
    Current,
    Named,
    Referring,
    Target,
    Versions,
    bounded,
    included,
    target_of,
)
from threadwell.stores.order import Candidate, ahead, in_order
from threadwell.stores.parameters import PLAIN, Changing, Parameters
from threadwell.stores.sql.prepare import check_once, definitions
from threadwell.stores.tokens import Tokens
from threadwell.stores.unindexed import check_indexed


class MemoryStore:
    """A ``Store`` of plain dicts. No method waits, so each is atomic for the tasks of one loop."""

    def __init__(self) -> None:
        self._bases: frozenset[str] = frozenset()
        self._projects: dict[str, _Project] = defaultdict(lambda: _Project(bases=self._bases))
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
            change = Change(position, *of.log[position - 1])
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
        for one in change_set.kept:
            there = self._private.get((one.kind, one.name))
            if one.before is not WHATEVER and there != one.before:
                raise Conflict(Key(one.kind, one.name))
        self._projects[project].commit(change_set)
        if changing := definitions(change_set.writes):
            await self.change_parameters(project, changing)
        self._moment += 1
        for one in change_set.kept:
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
        log = self._projects[project].log[after : after + count]
        return [Change(n, *told) for n, told in enumerate(log, after + 1)]

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        return follow(self._bell, project, after, lambda after: self.changes(project, after, BATCH))

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

    def _keep(self, kind: str, name: str, value: bytes | None) -> None:
        if value is None:
            self._private.pop((kind, name), None)
        else:
            self._private[kind, name] = value


@dataclass(slots=True)
class _Row:
    """A resource with its versions, as search sees it (``fhir.search.match.Subject``)."""

    project: _Project
    created: int
    type: str
    id: str
    versions: list[Stored] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    resource: Resource = field(default_factory=dict)
    values: IndexValues = field(default_factory=dict)

    @property
    def current(self) -> Stored:
        return self.versions[-1]

    @property
    def updated(self) -> int:
        return self.current.updated

    def following(self, after: Position) -> Iterator[Version]:
        """The versions after that position."""
        if self.created >= after.resource:
            for number, stored in enumerate(self.versions, 1):
                position = Position(self.created, number)
                if position > after:
                    yield Version(position, stored, self.contents.get(stored.version_id))

    @property
    def target(self) -> Target:
        return target_of(self.current)

    def referred(self, param: str) -> Iterator[Subject]:
        inside = contained(self.resource)
        return self.project.referred(self.values, param, inside)

    def referring(self, type_: str, param: str) -> Iterator[_Row]:
        me = self.target
        return (row for row in self.project.of_type(type_) if _refers(row.values, param, me))


@dataclass(slots=True)
class _Inner:
    """A contained resource, as search sees it; nothing refers to it from elsewhere."""

    project: _Project
    resource: Resource
    inside: Mapping[str, Resource]
    id: str = ""
    updated: int = 0

    @property
    def type(self) -> str:
        return str(self.resource["resourceType"])

    @property
    def values(self) -> IndexValues:
        return extract(self.resource, self.project.bases)

    def referred(self, param: str) -> Iterator[Subject]:
        return self.project.referred(self.values, param, self.inside)

    def referring(self, type_: str, param: str) -> Iterator[Subject]:  # noqa: ARG002 - none does
        return iter(())


@dataclass(slots=True)
class _Project:
    rows: dict[Key, _Row] = field(default_factory=dict)
    log: list[tuple[Stored, Position]] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)
    bases: frozenset[str] = frozenset()

    def know(self, bases: frozenset[str]) -> None:
        self.bases = bases
        for row in self.living():
            row.values = extract(row.resource, bases)

    def commit(self, change_set: ChangeSet) -> None:
        for unchanged in change_set.unchanged:
            before = unchanged.before
            self._expect(Key(before.type, before.id), before)
        for write in change_set.writes:
            self._expect(Key(write.type, write.id), write.before)
        for unmatched in change_set.unmatched:
            if next(self._matching(unmatched.query), None):
                raise Conflict(None)
        # Extraction may fail on a resource; nothing is written before all of it is done.
        values = [
            extract(write.resource, self.bases) if write.resource else {}
            for write in change_set.writes
        ]
        for write, found in zip(change_set.writes, values, strict=True):
            self._write(write, found)

    def is_within(self, change: Change, span: Span) -> bool:
        """Whether a version lies in the span."""
        versions = self.rows[Key(change.stored.type, change.stored.id)].versions
        following = versions[change.place.number :][:1]
        made = change.stored.updated * 1000
        return span.since <= made < span.high and all(
            later.updated * 1000 > span.low for later in following
        )

    def search(self, query: Query) -> Page:
        rows = {row.created: row for row in self._matching(query)}
        ordered = in_order(
            query.type,
            (Candidate(row.created, row.id, row.updated, row.values) for row in rows.values()),
            query.sort,
        )
        coming = ahead(ordered, query)
        total = len(ordered) if query.total != Total.NONE or query.summary_count else None
        if query.summary_count:
            return Page([], [], total, more=False)
        coming = coming[query.offset :]
        nearest = (rows[candidate.created].current for candidate, _ in coming[: query.count])
        page = bounded(nearest, query.most)
        places = [place for _, place in coming[: len(page)]]
        if query.back:
            page.reverse()
            places.reverse()
        first, last = (places[0], places[-1]) if places else (None, None)
        found, cut = included(query, page, self)
        return Page(page, found, total, len(coming) > len(page), first, last, places, cut)

    def answer(self, asked: Asked) -> list[Stored]:
        return bounded(self._answer(asked), asked.most)

    def _answer(self, asked: Asked) -> list[Stored]:
        match asked.ask:
            case Current(keys):
                rows = (self.rows.get(key) for key in keys)
                return [row.current for row in rows if row and not row.current.deleted]
            case Versions(versions):
                return [
                    stored
                    for key in versions
                    if (row := self.rows.get(Key(key.type, key.id)))
                    for stored in row.versions
                    if stored.version_id == key.version and not stored.deleted
                ]
            case Named(types, urls):
                named = (row for type_ in types for row in self.of_type(type_))
                return [row.current for row in named if row.target.name.url in urls]
            case Referring(params, targets, limit):
                found = [
                    row.current
                    for row in self.living()
                    if any(
                        _refers(row.values, param, target)
                        for type_, param in params
                        if type_ == row.type
                        for target in targets
                    )
                ]
                return found[:limit]

    def referred(
        self, values: IndexValues, param: str, inside: Mapping[str, Resource]
    ) -> Iterator[Subject]:
        """What references lead to, of all that is there and of what stands beside them within."""
        for value in values.get(param, ()):
            if isinstance(value, ReferenceValue) and value.url in inside:
                yield _Inner(self, inside[value.url], inside)
        yield from (row for row in self.living() if _refers(values, param, row.target))

    def living(self) -> Iterator[_Row]:
        return (row for row in self.rows.values() if not row.current.deleted)

    def of_type(self, type_: str) -> Iterator[_Row]:
        return (row for row in self.living() if row.type == type_)

    def _expect(self, key: Key, before: Stored | None) -> None:
        row = self.rows.get(key)
        if (row.current.version_id if row else None) != (before.version_id if before else None):
            raise Conflict(key)

    def _write(self, write: Write, values: IndexValues) -> None:
        key = Key(write.type, write.id)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = _Row(self, len(self.rows), *key)
        deleted = write.resource is None
        row.versions.append(
            Stored(
                write.type,
                write.id,
                write.version_id,
                write.updated,
                deleted,
                b"" if deleted else write.body,
                write.author,
            )
        )
        self.log.append((row.current, Position(row.created, len(row.versions))))
        row.resource = with_types(write.resource or {})
        row.values = values
        self.tokens.add(key, values)
        if write.content is not None:
            row.contents[write.version_id] = write.content

    def _matching(self, query: Query) -> Iterator[_Row]:
        keys = self.tokens.candidates(query.type, query.filters)
        rows = self.of_type(query.type) if keys is None else map(self.rows.__getitem__, keys)
        return (
            row
            for row in rows
            if not row.current.deleted and all(matches(one, row) for one in query.filters)
        )


def _refers(values: IndexValues, param: str, to: Target) -> bool:
    found = values.get(param, ())
    return any(leads_to(value, *to) for value in found if isinstance(value, ReferenceValue))
