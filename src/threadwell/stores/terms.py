"""The code systems, value sets and concept maps that are known: those of a store, those of its
implementation guides, and R4's own.

Of several of the same ``url`` the first of these is meant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import TypeAlias

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, Sort, TokenFilter, UriFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.terminology import compiled
from threadwell.fhir.terminology.concepts import CodeSystem
from threadwell.fhir.terminology.library import TooMuch
from threadwell.fhir.terminology.members import MAX_IMPORTS, urls
from threadwell.stores.contract import Reading

#: What finds the definition of a type and canonical in the packages of a store.
Packaged: TypeAlias = Callable[[str, str], Awaitable[Resource | None]]


async def no_packages(type_: str, canonical: str) -> Resource | None:  # noqa: ARG001
    """There are none."""
    return None


class Shelf:
    """A ``terminology.library.Library`` of what has been looked up."""

    def __init__(self) -> None:
        self.systems: dict[str, CodeSystem | None] = {}
        self.value_sets: dict[str, Resource | None] = {}

    def code_system(self, url: str) -> CodeSystem | None:
        """The code system, if it is known."""
        return self.systems.get(url)

    def value_set(self, url: str) -> Resource | None:
        """The value set, if it is known."""
        return self.value_sets.get(url)


async def gather(
    store: Reading,
    project: str,
    *,
    systems: Iterable[str] = (),
    value_sets: Iterable[str] = (),
    given: Resource | None = None,
    packaged: Packaged = no_packages,
) -> Shelf:
    """Those canonicals, and all that the value sets among them, and a ``given`` one, are made of.

    Raises ``TooMuch`` where that is more than ``MAX_IMPORTS`` value sets, or a code system is too
    large.
    """
    shelf = Shelf()
    of_systems, of_sets = urls(given or {})
    wanted, waiting = [*systems, *of_systems], [*value_sets, *of_sets]
    while waiting:
        url = waiting.pop()
        if url in shelf.value_sets:
            continue
        if len(shelf.value_sets) > MAX_IMPORTS:
            raise TooMuch(f"A value set is made of more than {MAX_IMPORTS} others")
        found = shelf.value_sets[url] = await known(store, project, "ValueSet", url, packaged)
        if found is not None:
            of_systems, of_sets = urls(found)
            wanted += of_systems
            waiting += of_sets
    for url in dict.fromkeys(wanted):
        shelf.systems[url] = await code_system(store, project, url, packaged)
    return shelf


async def code_system(
    store: Reading, project: str, canonical: str, packaged: Packaged = no_packages
) -> CodeSystem | None:
    """The code system that is known under a canonical; raises ``TooMuch`` for one too large."""
    stored = await _stored(store, project, "CodeSystem", canonical)
    stored = stored or await packaged("CodeSystem", canonical)
    try:
        return _compiled_system(canonical) if stored is None else CodeSystem(stored)
    except ValueError as error:
        raise TooMuch(f"CodeSystem {canonical[:200]} is {error}") from None


async def known(
    store: Reading, project: str, type_: str, canonical: str, packaged: Packaged = no_packages
) -> Resource | None:
    """The resource of a type that is known under a canonical."""
    found = await _stored(store, project, type_, canonical) or await packaged(type_, canonical)
    return found or _compiled(type_, canonical)


async def _stored(store: Reading, project: str, type_: str, canonical: str) -> Resource | None:
    url, _, version = canonical.partition("|")
    of_version = (TokenFilter("version", (TokenMatch(None, version),)),) if version else ()
    newest = (Sort("_lastUpdated", descending=True),)
    query = Query(type_, (UriFilter("url", (url,)), *of_version), sort=newest, count=1)
    page = await store.search(project, query)
    return decode(page.matches[0].body) if page.matches else None


def _compiled(type_: str, canonical: str) -> Resource | None:
    url, _, version = canonical.partition("|")
    return compiled.find(type_, url, version)


@lru_cache(maxsize=16)
def _compiled_system(canonical: str) -> CodeSystem | None:
    found = _compiled("CodeSystem", canonical)
    return CodeSystem(found) if found else None
