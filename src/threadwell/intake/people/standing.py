"""Who stands for a patient whose record was merged into another one's (FHIR R4 Patient.link).

Whoever is replaced is no longer ``active``, and their link ``replaced-by`` names the other one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Reading, Store

REPLACED = "replaced-by"


def replaced_by(patient: Resource) -> str:
    """Who replaces a Patient, ``""`` for nobody."""
    if patient.get("active") is not False:
        return ""
    links = (one for one in patient.get("link") or () if one.get("type") == REPLACED)
    names = (target(one, "other") for one in links)
    return next((one for one in names if one.startswith("Patient/")), "")


async def all_replaced(store: Store, project: str) -> dict[str, str]:
    """Who replaces whom in the end (``Patient/…``); those who replace each other are left out."""
    inactive = TokenFilter("active", (TokenMatch(None, "false"),))
    query = Query("Patient", (inactive, MissingFilter("link", missing=False)))
    found: dict[str, str] = {}
    async for stored in search_all(store, project, query):
        if new := replaced_by(decode(stored.body)):
            found[f"Patient/{stored.id}"] = new
    out = {old: new for old in found if (new := _last(found, old))}
    live = await _there(store, project, set(out.values()))
    return {old: new for old, new in out.items() if new in live}


async def who_stand(store: Reading, project: str, patients: Collection[str]) -> frozenset[str]:
    """Those ``Patient/…``, each who was replaced as the one who replaces them."""
    found: dict[str, str] = {}
    asked, seen = set(patients), set[str]()
    while asked:
        there = await _there(store, project, asked)
        seen |= asked
        found |= {name: new for name, body in there.items() if (new := replaced_by(body))}
        asked = {found[name] for name in there if name in found} - seen
    last = {old: _last(found, old) for old in patients if old in found}
    live = await _there(store, project, {new for new in last.values() if new})
    return frozenset(new if (new := last.get(one, "")) in live else one for one in patients)


async def _there(store: Reading, project: str, names: Collection[str]) -> dict[str, Resource]:
    if not names:
        return {}
    found = await store.read_many(project, [as_key(one) for one in sorted(names)])
    return {
        f"{key.type}/{key.id}": decode(one.body) for key, one in found.items() if not one.deleted
    }


def _last(found: Mapping[str, str], old: str) -> str:
    """Who replaces them in the end; nobody where they replace each other."""
    seen = {old}
    new = found[old]
    while new in found:
        if new in seen:
            return ""
        seen.add(new)
        new = found[new]
    return new
