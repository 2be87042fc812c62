"""``_include`` and ``_revinclude`` (FHIR R4 §3.1.1.5.4) over any store.

The same walk for every store: it asks for resources by key, by version or by name, and for those
that refer to some.
"""

from __future__ import annotations

import re
from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.json import decode
from threadwell.fhir.search.catalogue import R4, Catalogue, OfType, catalogue_of
from threadwell.fhir.search.extract import extract, unsearchable
from threadwell.fhir.search.field import field
from threadwell.fhir.search.query import Include, Query
from threadwell.fhir.search.references import Name, is_named, name_of
from threadwell.fhir.search.values import ReferenceValue
from threadwell.stores.contract import Key, Stored

#: A page carries no more included resources than this.
MAX_INCLUDED = 10_000
#: Resources that are looked for at once where every parameter of every type may refer to them.
_FEW = 50


class VersionKey(NamedTuple):
    """Names one version of a resource."""

    type: str
    id: str
    version: str


class Target(NamedTuple):
    """A resource by all that a reference may lead to it by."""

    type: str
    id: str
    name: Name


@dataclass(frozen=True, slots=True)
class Current:
    """Asks for those of ``keys`` that exist and are not deleted."""

    keys: Sequence[Key]


@dataclass(frozen=True, slots=True)
class Versions:
    """Asks for those of ``keys`` that exist, current or not, and are no deletions."""

    keys: Sequence[VersionKey]


@dataclass(frozen=True, slots=True)
class Named:
    """Asks for the resources of ``types`` whose ``url`` is one of ``urls``, of any version."""

    types: Sequence[str]
    urls: Sequence[str]


@dataclass(frozen=True, slots=True)
class Referring:
    """Asks for up to ``limit`` resources that refer to one of ``targets`` by one of ``params``,
    which are types with a parameter each.
    """

    params: Sequence[tuple[str, str]]
    targets: Sequence[Target]
    limit: int


Ask: TypeAlias = Current | Versions | Named | Referring


class Included(NamedTuple):
    """What is included; ``cut`` where that is not all, or may not be."""

    found: list[Stored]
    cut: bool = False


class Asked(NamedTuple):
    """``ask``, of which no more is wanted than what reaches ``most`` bytes."""

    ask: Ask
    most: int | None


class Surroundings(Protocol):
    """What the walk needs to see of a store: one project, as of one moment."""

    @property
    def bases(self) -> frozenset[str]:
        """The FHIR bases that its resources are known under."""
        ...

    def answer(self, asked: Asked) -> list[Stored]:
        """What is asked for."""
        ...


def included(query: Query, matches: Sequence[Stored], around: Surroundings) -> Included:
    """What the page's includes add to its matches: each resource once, none of the matches."""
    walk = including(query, matches, around.bases)
    try:
        asked = next(walk)
        while True:
            asked = walk.send(around.answer(asked))
    except StopIteration as end:
        out: Included = end.value
        return out


def including(
    query: Query, matches: Sequence[Stored], bases: Container[str]
) -> Generator[Asked, list[Stored], Included]:
    """The walk itself, for stores that have to wait: yields what it asks, is sent the answers.

    A version that a reference names is a resource of its own beside the current one. It ends where
    there is no room for more.
    """
    if not matches or not (query.includes or query.rev_includes):
        return Included([])
    seen = {_version(stored) for stored in matches}
    found: list[Stored] = []
    level = list(matches)
    left = query.most
    first = True
    while level:
        fresh: list[Stored] = []
        for ask, names in _asks(query, level, bases, first=first):
            answer = yield Asked(ask, left)
            is_cut = not _has_room(answer, left)
            for stored in _chosen(answer, names) if isinstance(ask, Named) else answer:
                key = _version(stored)
                if key not in seen:
                    seen.add(key)
                    fresh.append(stored)
                    left = None if left is None else left - len(stored.body)
            if is_cut or len(found) + len(fresh) >= MAX_INCLUDED:
                found.extend(fresh)
                return Included(found[:MAX_INCLUDED], cut=True)
        found.extend(fresh)
        level, first = fresh, False
    return Included(found)


def bounded(versions: Iterable[Stored], most: int | None) -> list[Stored]:
    """The versions up to the one by which they reach ``most`` bytes."""
    if most is None:
        return list(versions)
    found: list[Stored] = []
    for version in versions:
        found.append(version)
        most -= len(version.body)
        if most <= 0:
            break
    return found


def target_of(stored: Stored) -> Target:
    """A resource as references lead to it."""
    name = name_of(decode(stored.body)) if is_named(stored.type) else Name("", "")
    return Target(stored.type, stored.id, name)


def reference_params(type_: str, catalogue: Catalogue = R4) -> tuple[str, ...]:
    """The reference parameters of a type."""
    return _reference_params(type_, catalogue.of(type_))


@lru_cache(maxsize=1024)
def _reference_params(type_: str, of: OfType | None) -> tuple[str, ...]:
    found = (search_parameters(type_) if of is None else of.found).items()
    return tuple(c for c, p in found if p.type == "reference" and not unsearchable(p))


@lru_cache(maxsize=1024)
def referring_params(type_: str, catalogue: Catalogue = R4) -> tuple[tuple[str, str], ...]:
    """Every parameter of any type that may refer to resources of a type."""
    return tuple(
        (source, param)
        for source in sorted(RESOURCE_TYPES)
        for param in reference_params(source, catalogue)
        if type_ in (field(source, param, catalogue).targets or (type_,))
    )


def _asks(
    query: Query, level: Sequence[Stored], bases: Container[str], *, first: bool
) -> Iterator[tuple[Ask, Sequence[Name]]]:
    includes = [include for include in query.includes if first or include.iterate]
    catalogue = catalogue_of(bases)
    wanted = _Wanted(catalogue)
    for stored in level:
        of_it = [include for include in includes if include.source == stored.type]
        if of_it:
            wanted.add(stored, of_it, bases)
    if wanted.current:
        yield Current(list(wanted.current)), ()
    if wanted.versions:
        yield Versions(list(wanted.versions)), ()
    for types, names in wanted.named.items():
        yield Named(types, list(dict.fromkeys(name.url for name in names))), list(names)
    for include in query.rev_includes:
        if first or include.iterate:
            for ask in _referring(include, level, catalogue):
                yield ask, ()


class _Wanted:
    """What the references of a level lead to, each once and in their order."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.current: dict[Key, None] = {}
        self.versions: dict[VersionKey, None] = {}
        self.named: dict[tuple[str, ...], dict[Name, None]] = {}

    def add(self, stored: Stored, includes: Iterable[Include], bases: Container[str]) -> None:
        values = extract(decode(stored.body), bases)
        for include in includes:
            params: tuple[str, ...] = (include.param,)
            if include.param == "*":
                params = reference_params(stored.type, self._catalogue)
            for param in params:
                for value in values.get(param, ()):
                    if isinstance(value, ReferenceValue):
                        self._add(value, stored.type, param, include.target)

    def _add(self, value: ReferenceValue, type_: str, param: str, target: str) -> None:
        if value.canonical and value.url:
            targets = field(type_, param, self._catalogue).targets
            types = [target] if target else targets or RESOURCE_TYPES
            named = tuple(sorted(filter(is_named, types)))
            self.named.setdefault(named, {})[Name(value.url, value.version)] = None
        if not value.id or target not in ("", value.type):
            return
        if value.version and not value.canonical:
            self.versions[VersionKey(value.type, value.id, value.version)] = None
        else:
            self.current[Key(value.type, value.id)] = None


def _referring(
    include: Include, level: Sequence[Stored], catalogue: Catalogue
) -> Iterator[Referring]:
    by_type: dict[str, list[Target]] = {}
    for stored in level:
        if include.target in ("", stored.type):
            by_type.setdefault(stored.type, []).append(target_of(stored))
    if include.source != "*":
        sources: tuple[str, ...] = (include.param,)
        if include.param == "*":
            sources = reference_params(include.source, catalogue)
        targets = [target for of in by_type.values() for target in of]
        if targets:
            yield Referring([(include.source, one) for one in sources], targets, MAX_INCLUDED)
        return
    for type_, targets in by_type.items():
        for at in range(0, len(targets), _FEW):
            yield Referring(
                referring_params(type_, catalogue), targets[at : at + _FEW], MAX_INCLUDED
            )


def _chosen(found: Sequence[Stored], names: Sequence[Name]) -> Iterator[Stored]:
    """What the names lead to: without a version that is the latest (FHIR R4 references.html)."""
    by_url: dict[str, list[tuple[Name, Stored]]] = {}
    for stored in found:
        name = name_of(decode(stored.body))
        by_url.setdefault(name.url, []).append((name, stored))
    for wanted in names:
        of_url = by_url.get(wanted.url, [])
        if wanted.version:
            yield from (stored for name, stored in of_url if name.version == wanted.version)
        elif of_url:
            yield max(of_url, key=lambda one: (_later(one[0].version), one[1].updated))[1]


def _later(version: str) -> list[tuple[int, str]]:
    """Versions in their order: 1.10 is after 1.9, whatever is no number before any number."""
    parts = re.split(r"(\d{1,18})", version)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _has_room(answer: Sequence[Stored], most: int | None) -> bool:
    """Whether an answer that was asked for within ``most`` bytes is all that there is."""
    return most is None or sum([len(stored.body) for stored in answer]) < most


def _version(stored: Stored) -> VersionKey:
    return VersionKey(stored.type, stored.id, stored.version_id)
