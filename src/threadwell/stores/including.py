"""``_include`` and ``_revinclude`` (FHIR R4 §3.1.1.5.4) over any store.

The same walk for every store: it asks for resources by key, and for those that refer to some.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import Include, Query
from threadwell.fhir.search.values import ReferenceValue
from threadwell.stores.contract import Key, Stored

#: A page carries no more included resources than this.
MAX_INCLUDED = 10_000


@dataclass(frozen=True, slots=True)
class Current:
    """Asks for those of ``keys`` that exist and are not deleted."""

    keys: Sequence[Key]


@dataclass(frozen=True, slots=True)
class Referring:
    """Asks for up to ``limit`` resources of ``type`` that refer to one of ``keys`` by ``param``."""

    type: str
    param: str
    keys: Sequence[Key]
    limit: int


Ask: TypeAlias = Current | Referring


class Surroundings(Protocol):
    """What the walk needs to see of a store: one project, as of one moment."""

    def current(self, keys: Sequence[Key]) -> list[Stored]:
        """Those of ``keys`` that exist and are not deleted."""
        ...

    def referring(self, type_: str, param: str, keys: Sequence[Key], limit: int) -> list[Stored]:
        """Up to ``limit`` resources of ``type_`` that refer to one of ``keys`` under ``param``."""
        ...


def included(query: Query, matches: Sequence[Stored], around: Surroundings) -> list[Stored]:
    """What the page's includes add to its matches: each resource once, none of the matches."""
    walk = including(query, matches)
    try:
        ask = next(walk)
        while True:
            match ask:
                case Current(keys):
                    found = around.current(keys)
                case Referring(type_, param, keys, limit):
                    found = around.referring(type_, param, keys, limit)
            ask = walk.send(found)
    except StopIteration as end:
        out: list[Stored] = end.value
        return out


def including(
    query: Query, matches: Sequence[Stored]
) -> Generator[Ask, list[Stored], list[Stored]]:
    """The walk itself, for stores that have to wait: yields what it asks, is sent the answers."""
    if not matches or not (query.includes or query.rev_includes):
        return []
    seen = {Key(stored.type, stored.id) for stored in matches}
    found: list[Stored] = []
    level = list(matches)
    first = True
    while level and len(found) < MAX_INCLUDED:
        fresh: list[Stored] = []
        for ask in _asks(query, level, first=first):
            for stored in (yield ask):
                key = Key(stored.type, stored.id)
                if key not in seen and len(found) + len(fresh) < MAX_INCLUDED:
                    seen.add(key)
                    fresh.append(stored)
        found.extend(fresh)
        level, first = fresh, False
    return found


def _asks(query: Query, level: Sequence[Stored], *, first: bool) -> Iterable[Ask]:
    includes = [include for include in query.includes if first or include.iterate]
    wanted: dict[Key, None] = {}
    if includes:
        for stored in level:
            if any(include.source == stored.type for include in includes):
                wanted.update(dict.fromkeys(_targets(stored, includes)))
    if wanted:
        yield Current(list(wanted))
    keys = [Key(stored.type, stored.id) for stored in level]
    for include in query.rev_includes:
        if not (first or include.iterate):
            continue
        to = [key for key in keys if not include.target or key.type == include.target]
        if to:
            yield Referring(include.source, include.param, to, MAX_INCLUDED)


def _targets(stored: Stored, includes: Sequence[Include]) -> Iterable[Key]:
    values = extract(decode(stored.body))
    for include in includes:
        if include.source != stored.type:
            continue
        params = list(values) if include.param == "*" else [include.param]
        for param in params:
            for value in values.get(param, ()):
                if isinstance(value, ReferenceValue) and value.id:
                    key = Key(value.type, value.id)
                    if not include.target or key.type == include.target:
                        yield key
