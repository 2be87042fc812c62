"""What profiles are compiled from is read out of the store, and kept compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from threadwell.fhir.packages.package import TYPES
from threadwell.fhir.profiles import own
from threadwell.fhir.profiles.compiling import Compiler
from threadwell.fhir.profiles.kinds import BASE
from threadwell.fhir.profiles.library import MALFORMED
from threadwell.fhir.resource import Resource
from threadwell.fhir.terminology import compiled
from threadwell.fhir.terminology.concepts import CodeSystem
from threadwell.fhir.terminology.members import urls
from threadwell.stores.guides import Guides, Shelves, read_body

#: Definitions that are kept compiled at a time; beyond that it begins anew.
_MOST = 5_000
_MEMBER_OF = re.compile(r"memberOf\('([^']+)'")
_STRUCTURE, _VALUE_SET, _CODE_SYSTEM, _ = TYPES


class Conformance:
    """The profiles of a project, as one process has them compiled."""

    def __init__(self, guides: Guides) -> None:
        self.guides = guides
        self._library = _Library(Shelves(()))
        self._compiler = Compiler(self._library)

    async def compiler(self, now: int, profiles: Iterable[str], systems: Iterable[str]) -> Compiler:
        """A compiler that has those profiles, all that they name, and those code systems."""
        shelves = await self.guides.shelves(now)
        if shelves is not self._library.shelves or len(self._library) > _MOST:
            self._library = _Library(shelves)
            self._compiler = Compiler(self._library)
        library, compiler = self._library, self._compiler
        fresh = [url for url in profiles if url not in library.structures]
        await self._gather(library, fresh, systems)
        for url in fresh:
            # Now, by one task alone: later it is only looked up, by whichever thread.
            compiler.test_of(url)
        return compiler

    async def _gather(
        self, library: _Library, profiles: Iterable[str], systems: Iterable[str]
    ) -> None:
        waiting = [(_STRUCTURE, url) for url in profiles]
        waiting += [(_CODE_SYSTEM, url) for url in systems]
        met = set(waiting)
        while waiting:
            type_, url = waiting.pop()
            if library.has(type_, url):
                continue
            exact = type_ == _STRUCTURE and (type_, url) in met
            spot = library.shelves.find(type_, url, exact=exact)
            found = None
            if spot is not None:
                found = await read_body(self.guides.store, self.guides.project, spot)
            if found is not None and spot is not None:
                with suppress(*MALFORMED):
                    found = _beside(found, library.shelves, spot.label)
            elif type_ == _STRUCTURE:
                found = own.find(url)
            else:
                plain, _, version = url.partition("|")
                found = compiled.find(type_, plain, version)
            try:
                named = list(_named(found))
            except MALFORMED:
                found, named = None, []
            library.put(type_, url, found)
            waiting += named


class _Library:
    """What has been read, by its canonical; ``None`` for what is not known."""

    def __init__(self, shelves: Shelves) -> None:
        self.shelves = shelves
        self.structures: dict[str, Resource | None] = {}
        self._value_sets: dict[str, Resource | None] = {}
        self._systems: dict[str, CodeSystem | None] = {}

    def __len__(self) -> int:
        return len(self.structures) + len(self._value_sets) + len(self._systems)

    def has(self, type_: str, url: str) -> bool:
        if type_ == _STRUCTURE:
            return url in self.structures
        if type_ == _VALUE_SET:
            return url in self._value_sets
        return url in self._systems

    def put(self, type_: str, url: str, found: Resource | None) -> None:
        if type_ == _STRUCTURE:
            self.structures[url] = found
        elif type_ == _VALUE_SET:
            self._value_sets[url] = found
        else:
            try:
                self._systems[url] = CodeSystem(found) if found else None
            except MALFORMED:
                self._systems[url] = None  # or too large

    def structure(self, url: str) -> Resource | None:
        return self.structures.get(url)

    def value_set(self, url: str) -> Resource | None:
        return self._value_sets.get(url)

    def code_system(self, url: str) -> CodeSystem | None:
        return self._systems.get(url)

    def type_of(self, url: str) -> str:
        spot = self.shelves.find(_STRUCTURE, url, exact=False)
        if spot is not None:
            return spot.head.of.rpartition("/")[2]
        built_in = own.find(url)
        if built_in is not None:
            return str(built_in["type"])
        name = url.partition("|")[0].removeprefix(BASE)
        return name if url.startswith(BASE) and name.isalpha() and name[0].isupper() else ""


def _named(found: Resource | None) -> Iterator[tuple[str, str]]:
    """What a definition names and is gone by."""
    if found is None:
        return
    if found.get("resourceType") == _VALUE_SET:
        systems, value_sets = urls(found)
        yield from ((_CODE_SYSTEM, url) for url in systems)
        yield from ((_VALUE_SET, url) for url in value_sets)
    elif found.get("resourceType") == _STRUCTURE:
        yield from _of_structure(found)


def _of_structure(found: Resource) -> Iterator[tuple[str, str]]:
    base = found.get("baseDefinition")
    if isinstance(base, str):
        yield _STRUCTURE, base
    for says in _elements(found):
        for type_ in says.get("type", ()):
            yield from ((_STRUCTURE, url) for url in type_.get("profile", ()))
        binding = says.get("binding") or {}
        named = [binding.get("valueSet"), *_maximal(binding)]
        yield from ((_VALUE_SET, url) for url in named if isinstance(url, str))
        for one in says.get("constraint", ()):
            for url in _MEMBER_OF.findall(str(one.get("expression", ""))):
                yield _VALUE_SET, url


def _maximal(binding: dict[str, Any]) -> list[Any]:
    return [
        one[name]
        for one in binding.get("extension", ())
        for name in ("valueCanonical", "valueUri")
        if name in one
    ]


def _beside(found: Resource, shelves: Shelves, label: str) -> Resource:
    """The definition with each canonical that its package has in the version of that."""

    def beside(type_: str, url: Any) -> Any:
        return shelves.beside(label, type_, url) if isinstance(url, str) else url

    if found.get("resourceType") == _STRUCTURE:
        found["baseDefinition"] = beside(_STRUCTURE, found.get("baseDefinition"))
        for says in _elements(found):
            for type_ in says.get("type", ()):
                for name in ("profile", "targetProfile"):
                    if name in type_:
                        type_[name] = [beside(_STRUCTURE, url) for url in type_[name]]
            if says.get("binding"):
                says["binding"]["valueSet"] = beside(_VALUE_SET, says["binding"].get("valueSet"))
    elif found.get("resourceType") == _VALUE_SET:
        for part in (found.get("compose") or {}).get("include", ()):
            if "valueSet" in part:
                part["valueSet"] = [beside(_VALUE_SET, url) for url in part["valueSet"]]
    return found


def _elements(found: Resource) -> list[dict[str, Any]]:
    for view in ("snapshot", "differential"):
        listed = (found.get(view) or {}).get("element")
        if listed:
            return [one for one in listed if isinstance(one, dict)]
    return []
