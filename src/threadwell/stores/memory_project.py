"""What the memory store has of one project, and how that is searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import Subject, matches
from threadwell.fhir.search.query import Query, Total
from threadwell.fhir.search.references import contained, leads_to, with_types
from threadwell.fhir.search.values import IndexValues, ReferenceValue
from threadwell.stores.contract import (
    Change,
    ChangeSet,
    Conflict,
    Key,
    Page,
    Position,
    Span,
    Stored,
    Version,
    Write,
)
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
from threadwell.stores.tokens import Tokens


@dataclass(slots=True)
class Row:
    """A resource with its versions, as search sees it (``fhir.search.match.Subject``)."""

    project: Project
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

    def referring(self, type_: str, param: str) -> Iterator[Row]:
        me = self.target
        return (row for row in self.project.of_type(type_) if _refers(row.values, param, me))


@dataclass(slots=True)
class Inner:
    """A contained resource, as search sees it; nothing refers to it from elsewhere."""

    project: Project
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
class Project:
    """All that one project has, as lists in Python."""

    rows: dict[Key, Row] = field(default_factory=dict)
    #: The same, by their type.
    types: dict[str, dict[Key, Row]] = field(default_factory=dict)
    #: ``None`` for a version of what was expunged.
    log: list[tuple[Stored, Position] | None] = field(default_factory=list)
    created: int = 0
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

    def expunge(self, gone: Sequence[Stored]) -> None:
        there = [one for one in gone if Key(one.type, one.id) in self.rows]
        for one in there:
            self._expect(Key(one.type, one.id), one)
        for one in there:
            row = self.rows.pop(Key(one.type, one.id))
            del self.types[one.type][Key(one.type, one.id)]
            self.log = [
                None if told is not None and told[1].resource == row.created else told
                for told in self.log
            ]
            last = Stored(one.type, one.id, "", one.updated, deleted=True, body=b"")
            self.log.append((last, Position(row.created, len(row.versions) + 1)))

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
                yield Inner(self, inside[value.url], inside)
        if any(isinstance(value, ReferenceValue) for value in values.get(param, ())):
            yield from (row for row in self.living() if _refers(values, param, row.target))

    def living(self) -> Iterator[Row]:
        return (row for row in self.rows.values() if not row.current.deleted)

    def of_type(self, type_: str) -> Iterator[Row]:
        rows = self.types.get(type_, {}).values()
        return (row for row in rows if not row.current.deleted)

    def _expect(self, key: Key, before: Stored | None) -> None:
        row = self.rows.get(key)
        if (row.current.version_id if row else None) != (before.version_id if before else None):
            raise Conflict(key)

    def _write(self, write: Write, values: IndexValues) -> None:
        key = Key(write.type, write.id)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(self, self.created, *key)
            self.types.setdefault(write.type, {})[key] = row
            self.created += 1
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

    def _matching(self, query: Query) -> Iterator[Row]:
        keys = self.tokens.candidates(query.type, query.filters)
        rows = (
            self.of_type(query.type)
            if keys is None
            else (self.rows[key] for key in keys if key in self.rows)
        )
        return (
            row
            for row in rows
            if not row.current.deleted and all(matches(one, row) for one in query.filters)
        )


def _refers(values: IndexValues, param: str, to: Target) -> bool:
    found = values.get(param, ())
    return any(leads_to(value, *to) for value in found if isinstance(value, ReferenceValue))
