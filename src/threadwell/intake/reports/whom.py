"""Whom sessions are about, and what those patients are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from threadwell.encounters.names import resource_name
from threadwell.encounters.pattern import tags_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import chunks, search_all
from threadwell.stores.contract import Key, Reading


@dataclass(frozen=True, slots=True)
class Whom:
    """The patients of a session as references, in order, and their names; both empty if unknown."""

    patients: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


async def whom(
    store: Reading,
    project: str,
    encounters: Sequence[Resource],
    headers: Mapping[str, Sequence[Resource]],
    asked: Iterable[str] = (),
) -> dict[str, Whom]:
    """Whom each session encounter, by id, is about.

    That is its subject, and the members of a Group; where somebody has made it by hand and named
    none, the patients of its medical encounters, of its thread headers (``headers`` by session),
    or who take part in these. Where it is ``asked`` whom it is about, nobody is guessed.
    """
    unclear = set(asked)
    subjects = {one["id"]: target(one, "subject") for one in encounters}
    nameless = [id_ for id_, subject in subjects.items() if not subject and id_ not in unclear]
    found: dict[str, list[str]] = {id_: [one] if one else [] for id_, one in subjects.items()}
    found.update(await _of_medical(store, project, nameless))
    for id_ in nameless:
        found[id_] = found[id_] or _of_headers(headers.get(id_, ()))
    groups = {one for those in found.values() for one in those if one.startswith("Group/")}
    members, group_names = await _members(store, project, groups)
    out: dict[str, Whom] = {}
    patients_of = {
        id_: tuple(dict.fromkeys(who for one in those for who in members.get(one, [one])))
        for id_, those in found.items()
    }
    names = await _names(store, project, {w for those in patients_of.values() for w in those})
    for id_, patients_ in patients_of.items():
        called = tuple(names.get(who) or group_names.get(who) or who for who in patients_)
        out[id_] = Whom(patients_, called)
    return out


async def _of_medical(store: Reading, project: str, ids: Sequence[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for some in chunks(ids):
        matches = tuple(ReferenceMatch("Encounter", id_, "") for id_ in some)
        query = Query("Encounter", (ReferenceFilter("part-of", matches),))
        async for stored in search_all(store, project, query):
            part = decode(stored.body)
            if (who := target(part, "subject")) and part.get("status") != "entered-in-error":
                of = out.setdefault(as_key(target(part, "partOf")).id, [])
                if "medical-encounter" in tags_of(part) and who not in of:
                    of.append(who)
    return out


def _of_headers(headers: Sequence[Resource]) -> list[str]:
    named = dict.fromkeys(who for one in headers if (who := target(one, "subject")))
    if named:
        return list(named)
    everybody = (
        reference
        for one in headers
        for reference in (one.get("sender"), *(one.get("recipient") or ()))
    )
    taking_part = (str((one or {}).get("reference", "")) for one in everybody)
    return list(dict.fromkeys(who for who in taking_part if who.startswith("Patient/")))


async def _members(
    store: Reading, project: str, groups: Iterable[str]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The members of Groups that have any, and the names of those that have none."""
    members: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name, group in (await _read(store, project, groups)).items():
        entities: list[Any] = [one.get("entity") or {} for one in group.get("member") or ()]
        those = [str(one["reference"]) for one in entities if one.get("reference")]
        if those:
            members[name] = those
        else:
            names[name] = resource_name(group) or "Several patients"
    return members, names


async def _names(store: Reading, project: str, who: Iterable[str]) -> dict[str, str]:
    found = await _read(store, project, who)
    return {name: called for name, one in found.items() if (called := resource_name(one))}


async def _read(store: Reading, project: str, names: Iterable[str]) -> dict[str, Resource]:
    keys: dict[Key, str] = {as_key(name): name for name in names if "/" in name}
    found = await store.read_many(project, list(keys)) if keys else {}
    return {keys[key]: decode(one.body) for key, one in found.items() if not one.deleted}
