"""The person who is signed in, by the link that names them."""

from __future__ import annotations

from threadwell.encounters.corrected import Agent
from threadwell.encounters.names import resource_name
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.links import as_key
from threadwell.stores.contract import Store

#: Who acts where a link names nobody.
SOMEBODY = Agent("A person on the pages")

_TYPES = ("Practitioner", "PractitionerRole")


async def person_of(store: Store, project: str, who: str) -> Agent | None:
    """Whoever the reference names, ``SOMEBODY`` for ``""``; ``None`` where they are gone.

    So is somebody whose ``active`` is false.
    """
    if not who:
        return SOMEBODY
    found = await _read(store, project, who)
    if found is None or found.get("active") is False:
        return None
    return Agent(await _name(store, project, found) or who, reference=who)


async def checked_person(store: Store, project: str, who: str) -> str:
    """The reference of somebody whom a link may name; raises ``BadSetting`` for anybody else."""
    key = as_key(who)
    if key.type not in _TYPES or not key.id:
        raise BadSetting(f"{who!r} names nobody who can sign in: give Practitioner/…")
    if await person_of(store, project, who) is None:
        raise BadSetting(f"there is no {who} in the store who is active")
    return who


async def _name(store: Store, project: str, found: Resource) -> str:
    practitioner = (found.get("practitioner") or {}).get("reference", "")
    person = await _read(store, project, practitioner) if practitioner else None
    return resource_name(person or found)


async def _read(store: Store, project: str, name: str) -> Resource | None:
    stored = await store.read(project, *as_key(name))
    return None if stored is None or stored.deleted else decode(stored.body)
