"""Patients whose record was merged into another one's (FHIR R4 Patient.link, ``replaced-by``).

Whoever is replaced is no longer ``active``. What they had is the other one's: addresses, family,
and what was said of who writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, as_reference
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.fhir.stamp import instant
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.values import Values
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.intake.people.asked import Asked
from threadwell.intake.people.one_record import one_record
from threadwell.intake.people.question import is_applied, writers
from threadwell.intake.people.standing import REPLACED, all_replaced
from threadwell.messages import parse_address
from threadwell.stores.contract import Key, Store, Stored

#: Not what it was when messages of other circles stayed: all are looked through once again.
_KIND = "merged-records"
_REPLACES = "replaces"
_MERGED = "Two records of one patient were merged."


async def replaced(store: Store, project: str) -> dict[str, str]:
    """Who replaces whom (``Patient/…``), of those whose messages have not moved yet."""
    found = await all_replaced(store, project)
    done = await store.list_private(_name(project)) if found else {}
    return {old: new for old, new in found.items() if done.get(old) != new.encode()}


async def keep_merged(store: Store, project: str, merged: Mapping[str, str]) -> None:
    """Remember that their messages have moved."""
    for old, new in merged.items():
        await store.put_private(_name(project), old, new.encode())


async def hand_over(
    store: Store, project: str, batch: Batch, old: str, new: str, country: str
) -> None:
    """Add what makes the two records one: links both ways, what is known of them, family, answers.

    A relative whom both have, by an address and the name, counts once: of two with one address
    nobody could tell who writes.
    """
    found = await store.read_many(project, [as_key(old), as_key(new)])
    before, after = found[as_key(old)], found[as_key(new)]
    gone, stays = decode(before.body), decode(after.body)
    wanted = {**gone, "active": False, "link": _linked(gone, REPLACED, new)}
    kept = {**one_record(stays, gone, country), "link": _linked(stays, _REPLACES, old)}
    for key, was, body in ((as_key(old), before, wanted), (as_key(new), after, kept)):
        if body != decode(was.body):
            batch.write(key, body, was)
    family = {one.id: (one, decode(one.body)) for one in await _family(store, project, new)}
    for one in await _family(store, project, old):
        body = repointed(decode(one.body), {old: new})
        same = next((id_ for id_, (_, x) in family.items() if _is_same(body, x, country)), "")
        if same:
            there, known = family[same]
            family[same] = there, one_record(known, body, country)
            body = {**body, "active": False}
        batch.write(Key("RelatedPerson", one.id), body, one)
    for there, body in family.values():
        if body != decode(there.body):
            batch.write(Key("RelatedPerson", there.id), body, there)
    answers = Asked(Values(store), project)
    asked = TokenFilter("identifier", (TokenMatch(codes.SHARED, None),))
    async for one in search_all(store, project, Query("Task", (asked,))):
        body = decode(one.body)
        if (again := repointed(body, {old: new})) != body:
            batch.write(Key("Task", one.id), again, one)
            if writers(again) and not is_applied(again):
                answers.unsettle(batch, one.id)


async def _family(store: Store, project: str, patient: str) -> list[Stored]:
    of_them = ReferenceFilter("patient", (ReferenceMatch("Patient", as_key(patient).id, ""),))
    found = search_all(store, project, Query("RelatedPerson", (of_them,)))
    return [one async for one in found]


def _is_same(one: Resource, other: Resource, country: str) -> bool:
    if other.get("active") is False or _addresses(one, country).isdisjoint(
        _addresses(other, country)
    ):
        return False
    mine, theirs = _given(one), _given(other)
    return not mine or not theirs or not mine.isdisjoint(theirs)


def _addresses(person: Resource, country: str) -> set[str]:
    values = (str(one.get("value", "")) for one in person.get("telecom") or ())
    return {
        str(address.key) if (address := parse_address(value, country)) else value
        for value in values
        if value
    }


def _given(person: Resource) -> set[str]:
    names = (name.get("given") or () for name in person.get("name") or ())
    return {str(one).casefold() for given in names for one in given if one}


def record(batch: Batch, old: str, new: str, by: Agent) -> None:
    """Add the Provenance of the merge."""
    identity = Identity(codes.PROVENANCE, f"merged|{old}|{new}")
    key = Key("Provenance", identity.id)
    batch.write(
        key,
        {
            "resourceType": "Provenance",
            "target": [reference(new), reference(old)],
            "recorded": instant(batch.updated),
            "activity": {
                "coding": [{"system": codes.DATA_OPERATION, "code": "UPDATE", "display": "revise"}]
            },
            "reason": [codes.provenance_reason(_MERGED)],
            "agent": [{"who": as_reference(by)}],
        },
    )


def repointed(value: Any, merged: Mapping[str, str]) -> Any:
    """The value with every reference to a replaced patient led to the one who replaces them."""
    if isinstance(value, dict):
        return {
            name: merged.get(one, one)
            if name == "reference" and isinstance(one, str)
            else repointed(one, merged)
            for name, one in value.items()
        }
    return [repointed(one, merged) for one in value] if isinstance(value, list) else value


def _linked(patient: Resource, type_: str, other: str) -> list[Any]:
    links = list(patient.get("link") or ())
    there = any(one.get("type") == type_ and target(one, "other") == other for one in links)
    return links if there else [*links, {"other": reference(other), "type": type_}]


def _name(project: str) -> str:
    return f"{_KIND}/{project}"
