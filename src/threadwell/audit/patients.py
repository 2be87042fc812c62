"""Which patients a version is about: those whose compartment it is in (FHIR R4 §2.7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from typing import Any, TypeAlias

from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.compartments import links
from threadwell.fhir.search.extract import extraction
from threadwell.stores.contract import Key, Store, Stored

#: What names a version: its type, id and version id.
Version: TypeAlias = tuple[str, str, str]
#: Versions that are remembered with the patients they are about: some 6 MB.
_MOST = 20_000
#: Resources that are read at once to learn that.
_AT_ONCE = 500
#: Versions before a deletion that are looked at for what it has deleted.
_BACK = 5
_PATIENT = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")


def patients_in(resource: Resource) -> tuple[str, ...]:
    """The ids of the patients in whose compartment a resource is, in their order in it."""
    type_ = resource["resourceType"]
    if type_ == "Patient":
        found = [str(resource.get("id", ""))]
        found += referred(resource.get("link"))
        return tuple(dict.fromkeys(found))
    roots = _roots(type_)
    return tuple(dict.fromkeys(id_ for root in roots for id_ in referred(resource.get(root))))


@cache
def _roots(type_: str) -> tuple[str, ...]:
    """The elements of a type in which the patients stand to whose compartments it belongs."""
    codes = set(links("Patient", type_))
    members = extraction(type_).members.items()
    return tuple(name for name, one in members if any(take.code in codes for take in one.takes))


@cache
def may_be_about(type_: str) -> bool:
    """Whether a resource of the type may be about a patient."""
    return type_ == "Patient" or bool(_roots(type_))


def referred(value: Any) -> Iterator[str]:
    """The ids of the patients to whom references within a value lead."""
    if isinstance(value, list):
        for one in value:
            yield from referred(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "reference" and isinstance(inner, str):
                if match := _PATIENT.fullmatch(inner):
                    yield match[1]
            elif isinstance(inner, dict | list):
                yield from referred(inner)


class Patients:
    """Looks versions up, and remembers what it has found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[Version, tuple[str, ...]]] = {}
        # There are many versions to a patient.
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}

    async def look_up(self, project: str, versions: Set[Version]) -> None:
        """Know of all of these whom they are about."""
        known = self._known.setdefault(project, {})
        wanted = {one for one in versions - known.keys() if may_be_about(one[0])}
        if not wanted:
            return
        if sum(map(len, self._known.values())) > _MOST:
            self._known.clear()
            self._same.clear()
            known = self._known.setdefault(project, {})
            wanted = {one for one in versions if may_be_about(one[0])}
        asked = list(wanted)
        for at in range(0, len(asked), _AT_ONCE):
            await self._learn(project, asked[at : at + _AT_ONCE], known)

    async def _learn(
        self, project: str, asked: Sequence[Version], known: dict[Version, tuple[str, ...]]
    ) -> None:
        keys = list(dict.fromkeys(Key(type_, id_) for type_, id_, _ in asked))
        current = await self._store.read_many(project, keys)
        for type_, id_, version in asked:
            found = current.get(Key(type_, id_))
            if found is None or found.version_id != version:
                found = await self._store.read_version(project, type_, id_, version)
            if found is not None and found.deleted:
                found = await self._before(project, found)
            # Of a Patient who was expunged there is only that.
            gone = found is None and type_ == "Patient"
            about = (id_,) if gone else _of(found)
            known[type_, id_, version] = self._same.setdefault(about, about)

    def of(self, project: str, versions: Iterable[Version]) -> dict[str, list[int]]:
        """For each patient (by id) the places in ``versions``, which were looked up, that are about
        them.
        """
        known = self._known.get(project, {})
        found: dict[str, list[int]] = {}
        for at, version in enumerate(versions):
            for patient in known.get(version, ()):
                if patient in found:
                    found[patient].append(at)
                else:
                    found[patient] = [at]
        return found

    async def _before(self, project: str, deletion: Stored) -> Stored | None:
        """What was deleted."""
        versions, _ = await self._store.history(project, deletion.type, deletion.id, _BACK, 0)
        at = next((n for n, v in enumerate(versions) if v.version_id == deletion.version_id), -1)
        return next((v for v in versions[at + 1 :] if not v.deleted), None)


def _of(stored: Stored | None) -> tuple[str, ...]:
    if stored is None or not stored.body:
        return ()
    try:
        return patients_in(decode(stored.body))
    except BadJson:
        return ()
