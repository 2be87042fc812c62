"""Whether a clinical detail stands on the Encounter of its own patient.

A diagnosis or reason that an Encounter names, a related person who takes part in it, and whatever
says itself in which Encounter it was found: each is of one patient. On another patient's Encounter
it would be read as theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.intake.links import as_key, target
from threadwell.intake.people.standing import who_stand
from threadwell.stores.contract import Key, Reading, Write

_OURS = (codes.SESSION, codes.MEDICAL)
#: Whom headers and messages are about, is said by ``$about``.
_SPOKEN = "Communication"
_NOBODY: Mapping[Key, Resource] = {}


class Foreign(NamedTuple):
    """Where a detail of another patient stands (a path), and why it may not."""

    path: str
    why: str


def may_be_foreign(write: Write) -> bool:
    """Whether ``foreign_details`` has anything to look at."""
    body = write.resource
    if body is None or write.type == _SPOKEN:
        return False
    return write.type == "Encounter" or "encounter" in body


async def foreign_details(
    store: Reading, project: str, write: Write, made: Mapping[Key, Resource] = _NOBODY
) -> list[Foreign]:
    """What a write says newly of an Encounter of ours that is of another patient.

    ``made`` is what the same transaction writes. What ``store`` does not show is not judged, nor
    what stood there before. Raises ``StoreError``.
    """
    body = write.resource
    if body is None or not may_be_foreign(write):
        return []
    before = write.before
    was: Resource = decode(before.body) if before and not before.deleted else {}
    reading = _Details(store, project, made)
    if write.type == "Encounter":
        return await reading.of_encounter(body, was)
    return await reading.of_other(body, was)


class _Details:
    def __init__(self, store: Reading, project: str, made: Mapping[Key, Resource]) -> None:
        self._store, self._project, self._made = store, project, made

    async def of_encounter(self, body: Resource, was: Resource) -> list[Foreign]:
        """The details that the Encounter names."""
        patient = _name(target(body, "subject"))
        if not patient.startswith("Patient/") or not _is_ours(body):
            return []
        had = {name for _, name in _named(was)}
        out = []
        for path, name in _named(body):
            if name in had:
                continue
            whose = await self._whose(name)
            if whose and not await self._are_one(whose, patient):
                out.append(
                    Foreign(path, f"{name} is another patient's: it is no detail of this care")
                )
        return out

    async def of_other(self, body: Resource, was: Resource) -> list[Foreign]:
        """The Encounter that a detail names."""
        encounter = _name(target(body, "encounter"))
        whose = _patient_of(body)
        is_new = encounter != _name(target(was, "encounter")) or whose != _patient_of(was)
        if not is_new or not whose or not encounter.startswith("Encounter/"):
            return []
        there = await self._read(encounter)
        patient = _name(target(there, "subject"))
        if not patient.startswith("Patient/") or not _is_ours(there):
            return []
        if await self._are_one(whose, patient):
            return []
        why = f"{encounter} is another patient's: this is no detail of that care"
        return [Foreign(f"{body['resourceType']}.encounter", why)]

    async def _whose(self, name: str) -> str:
        return _patient_of(await self._read(name))

    async def _are_one(self, one: str, other: str) -> bool:
        """Whether both are one patient, perhaps by two records that were merged."""
        return one == other or len(await who_stand(self._store, self._project, {one, other})) == 1

    async def _read(self, name: str) -> Resource:
        key = as_key(name)
        if key in self._made:
            return self._made[key]
        stored = await self._store.read(self._project, *key) if key.id else None
        return decode(stored.body) if stored and not stored.deleted else {}


def _named(encounter: Resource) -> Iterator[tuple[str, str]]:
    """What an Encounter says of the care, and the related people in it: paths and names."""
    for at, one in enumerate(encounter.get("diagnosis") or ()):
        yield f"Encounter.diagnosis[{at}].condition", _name(target(one, "condition"))
    for at, one in enumerate(encounter.get("reasonReference") or ()):
        yield f"Encounter.reasonReference[{at}]", _name(str(one.get("reference", "")))
    for at, one in enumerate(encounter.get("participant") or ()):
        name = _name(target(one, "individual"))
        if name.startswith("RelatedPerson/"):
            yield f"Encounter.participant[{at}].individual", name


def _patient_of(body: Resource) -> str:
    """The patient of a detail (``Patient/…``), ``""`` for none."""
    names = (_name(target(body, one)) for one in ("subject", "patient"))
    return next((one for one in names if one.startswith("Patient/")), "")


def _name(reference: str) -> str:
    """A reference as ``Type/id``, also where it is a link or names a version."""
    absolute = parse_absolute(reference)
    type_, id_ = (absolute.type, absolute.id) if absolute else split_reference(reference)
    return f"{type_}/{id_}" if id_ else ""


def _is_ours(encounter: Resource) -> bool:
    systems = (str(one.get("system", "")) for one in encounter.get("identifier") or ())
    return any(one.startswith(_OURS) for one in systems)
