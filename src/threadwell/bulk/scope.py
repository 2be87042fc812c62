"""Which resources an export is about, asked of the store and of one resource alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from threadwell.access.holding import all_hold, seen
from threadwell.access.view import View
from threadwell.bulk.job import Asked
from threadwell.bulk.sight import Links
from threadwell.fhir.search.compartments import Compartment, compartment_filter, links
from threadwell.fhir.search.pairs import pairs
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import DateFilter, EitherFilter, Filter, IdFilter, Query
from threadwell.fhir.search.sought import DateMatch, Prefix
from threadwell.fhir.search.values import ReferenceValue
from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Key, Stored
from threadwell.stores.naming import with_names

#: Patients whose resources are asked for together.
_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """Resources of a type; of so many patients, where it is about some (the ``number``th part)."""

    type: str
    number: int = 0
    patients: tuple[str, ...] | None = None


def parse_filter(type_: str, query: str, bases: frozenset[str], clock: Clock) -> Query:
    """The query of a ``_typeFilter``; raises ``FhirError`` 400."""
    return parse_query(type_, pairs(query), bases=bases, now=clock)


class Scope:
    """What an export asks for, through the view of its caller."""

    def __init__(
        self,
        view: View,
        project: str,
        asked: Asked,
        filters: dict[str, list[Query]],
        bases: frozenset[str],
    ) -> None:
        self._view = view
        self._project = project
        self._asked = asked
        self._filters = filters
        self._bases = bases
        self._links = Links(view, project, bases)
        self._parts = {
            id_: number for number, part in enumerate(_parts(asked.patients)) for id_ in part or ()
        }
        self.stretches = [
            Stretch(type_, number, part)
            for type_ in asked.types
            for number, part in enumerate(_parts(asked.patients))
        ]
        self._order = {type_: at for at, type_ in enumerate(asked.types)}

    def has(self, type_: str) -> bool:
        """Whether anything of a type is asked for."""
        return type_ in self._order

    def order(self, stretch: Stretch) -> tuple[int, int]:
        """Where a stretch stands among all."""
        return self._order[stretch.type], stretch.number

    async def query(self, stretch: Stretch) -> Query:
        """What finds the resources of a stretch, in the order of their natural time."""
        return Query(
            stretch.type, (*_of(stretch), *self._since(), *await self._wanted(stretch.type))
        )

    async def owned(self, found: Sequence[Stored], *, gone: bool = False) -> dict[Key, Stretch]:
        """In which stretch each is, of those that are asked for by whose they are.

        ``gone``: they are deleted by now, and so may be whom they belonged to.
        """
        if not self._asked.of_patients:
            return {Key(one.type, one.id): Stretch(one.type) for one in found}
        owners = {Key(one.type, one.id): self._owners(one) for one in found}
        if self._asked.patients is None:
            there = {owner for each in owners.values() for owner in each}
            if not gone:
                keys = [Key("Patient", id_) for id_ in sorted(there)]
                alive = await self._view.read_many(self._project, keys)
                there = {key.id for key, one in alive.items() if not one.deleted}
            return {
                key: Stretch(key.type)
                for key, each in owners.items()
                if key.type == "Patient" or not there.isdisjoint(each)
            }
        parts = {
            key: [self._parts[id_] for id_ in each if id_ in self._parts]
            for key, each in owners.items()
        }
        # What belongs to several patients comes once, with the first of them.
        return {key: Stretch(key.type, min(each)) for key, each in parts.items() if each}

    async def matches(self, version: Stored) -> bool:
        """Whether a version is one that is asked for, whosever it is."""
        if self._asked.since is not None and version.updated <= self._asked.since:
            return False
        filters = await self._wanted(version.type)
        return await all_hold(filters, seen(version, self._bases), self._links)

    def _owners(self, version: Stored) -> set[str]:
        if version.type == "Patient":
            return {version.id}
        values = seen(version, self._bases).values
        return {
            value.id
            for param in links("Patient", version.type)
            for value in values.get(param, ())
            if isinstance(value, ReferenceValue) and value.type == "Patient" and value.id
        }

    def _since(self) -> tuple[Filter, ...]:
        if self._asked.since is None:
            return ()
        after = (self._asked.since + 1) * 1000
        return (DateFilter("_lastUpdated", (DateMatch(Prefix.GE, after, after + 1000),)),)

    async def _wanted(self, type_: str) -> tuple[Filter, ...]:
        """What a resource of a type has to match."""
        queries = [
            await with_names(self._view, self._project, one) for one in self._filters.get(type_, ())
        ]
        if not queries or any(not one.filters for one in queries):
            return ()
        if len(queries) == 1:
            return queries[0].filters
        return (EitherFilter(tuple([one.filters for one in queries])),)


def filters_of(asked: Asked, bases: frozenset[str], clock: Clock) -> dict[str, list[Query]]:
    """The queries of the ``_typeFilter``s of each type."""
    found: defaultdict[str, list[Query]] = defaultdict(list)
    for type_, query in asked.filters:
        found[type_].append(parse_filter(type_, query, bases, clock))
    return found


def _of(stretch: Stretch) -> tuple[Filter, ...]:
    if stretch.patients is None:
        return ()
    if stretch.type == "Patient":
        return (IdFilter(stretch.patients),)
    compartments = [Compartment("Patient", id_) for id_ in stretch.patients]
    return (compartment_filter(stretch.type, compartments),)


def _parts(patients: tuple[str, ...] | None) -> list[tuple[str, ...] | None]:
    if patients is None:
        return [None]
    return [patients[at : at + _TOGETHER] for at in range(0, len(patients), _TOGETHER)]
