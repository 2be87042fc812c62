"""What a search names that others know under another name, or that stands for many.

A reference to a resource that has a name is one thing, by its id or by its name: a search for
``Questionnaire/1`` asks for what refers to its ``url`` too, and one for a ``url`` for what refers
to the id. A value set stands for its codes, and a code for those above or below it. What that is
hangs on what is stored, so it is looked up before the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.search.catalogue import Catalogue
from threadwell.fhir.search.field import field
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    ConceptFilter,
    EitherFilter,
    Filter,
    HasFilter,
    NotFilter,
    OtherFilter,
    Query,
    ReferenceFilter,
    UriFilter,
    within,
)
from threadwell.fhir.search.references import is_named
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.stores.concepts import tokens_of
from threadwell.stores.contract import Key, Reading
from threadwell.stores.including import target_of
from threadwell.stores.scanning import scan
from threadwell.stores.terms import Packaged, no_packages


async def with_names(
    store: Reading, project: str, query: Query, packaged: Packaged = no_packages
) -> Query:
    """The query with each reference by all that it is known under, and the codes of each value set
    and hierarchy that it names; most are as they were.

    Raises ``FhirError`` 400 for a value set or code system that is not known, or too large.
    """
    if not has_names(query):
        return query
    naming = _Naming(store, project, query.catalogue, packaged)
    filters = [await naming.named(query.type, filter_) for filter_ in query.filters]
    return replace(query, filters=tuple(filters))


def has_names(query: Query) -> bool:
    """Whether some of its references may have other names."""
    return any(map(_is_named, query.filters))


def _is_named(filter_: Filter) -> bool:
    match filter_:
        case ReferenceFilter(named=named):
            return named
        case ConceptFilter():
            return True
        case ChainFilter(filters=filters):
            return any(map(_is_named, filters))
        case HasFilter(filter=inner) | OtherFilter(inner):
            return _is_named(inner)
        case _:
            return any(map(_is_named, within(filter_)))


class _Naming:
    def __init__(
        self, store: Reading, project: str, catalogue: Catalogue, packaged: Packaged
    ) -> None:
        self._store = store
        self._packaged = packaged
        self._project = project
        self._catalogue = catalogue

    async def named(self, type_: str, filter_: Filter) -> Filter:
        """A filter of a search of that type."""
        match filter_:
            case ReferenceFilter(named=True):
                targets = field(type_, filter_.param, self._catalogue).targets
                types = targets or sorted(RESOURCE_TYPES)
                wanted = [target for target in types if is_named(target)]
                found = [one for m in filter_.matches for one in await self._others(m, wanted)]
                return replace(filter_, matches=tuple(dict.fromkeys([*filter_.matches, *found])))
            case ConceptFilter():
                of = field(type_, filter_.param, self._catalogue)
                return await tokens_of(self._store, self._project, of, filter_, self._packaged)
            case ChainFilter(_, of, filters):
                pairs = zip(of, filters, strict=True)
                return replace(filter_, filters=tuple([await self.named(*pair) for pair in pairs]))
            case HasFilter(source, _, inner):
                return replace(filter_, filter=await self.named(source, inner))
            case NotFilter(inner) | OtherFilter(inner):
                return replace(filter_, filter=await self.named(type_, inner))
            case AllFilter(filters):
                return AllFilter(tuple([await self.named(type_, one) for one in filters]))
            case EitherFilter(some):
                found_ = [[await self.named(type_, one) for one in filters] for filters in some]
                return EitherFilter(tuple(map(tuple, found_)))
            case _:
                return filter_

    async def _others(self, match: ReferenceMatch, types: Sequence[str]) -> list[ReferenceMatch]:
        if match.url:
            return await self._by_id(match.url, types)
        wanted = [type_ for type_ in types if match.type in ("", type_)]
        return await self._by_name([Key(type_, match.id) for type_ in wanted])

    async def _by_name(self, keys: Sequence[Key]) -> list[ReferenceMatch]:
        found: list[ReferenceMatch] = []
        for stored in (await self._store.read_many(self._project, keys)).values():
            url, version = ("", "") if stored.deleted else target_of(stored).name
            if url:
                found.append(ReferenceMatch("", "", url, plain=True))
            if url and version:
                found.append(ReferenceMatch("", "", f"{url}|{version}"))
        return found

    async def _by_id(self, url: str, types: Sequence[str]) -> list[ReferenceMatch]:
        plain, _, version = url.partition("|")
        found: list[ReferenceMatch] = []
        for type_ in types:
            asked = Query(type_, (UriFilter("url", (plain,)),))
            matches = scan(self._store, self._project, asked)
            targets = [target_of(stored) async for stored in matches]
            found += [
                ReferenceMatch(type_, target.id, "")
                for target in targets
                if version in ("", target.name.version)
            ]
        return found
