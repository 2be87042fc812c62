"""Who does something, by what a person gives: a name in words, or the reference of who it is."""

from __future__ import annotations

from threadwell.encounters.corrected import Agent
from threadwell.encounters.names import resource_name
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.acts import BadAct
from threadwell.intake.links import as_key, target
from threadwell.intake.seat import SOMEBODY
from threadwell.stores.contract import Reading

_REFERENCES = ("Practitioner/", "PractitionerRole/", "Organization/")


async def agent_of(
    store: Reading, project: str, by: str, wrong: type[ValueError] = BadAct
) -> Agent:
    """Whoever ``by`` names: ``Nils Berg``, or ``Practitioner/…``, who has a name in the store.

    Raises what is ``wrong`` for a reference to nobody who is there.
    """
    if not by.startswith(_REFERENCES):
        return Agent(by) if by.strip() else SOMEBODY
    if await _read(store, project, by) is None:
        raise wrong(f"there is no {by}")
    return await agent_at(store, project, by)


async def agent_at(store: Reading, project: str, reference: str) -> Agent:
    """The one at a reference, by their name where it is known, else by the reference itself."""
    body = await _read(store, project, reference)
    name = resource_name(body) if body else ""
    if body and not name and (person := target(body, "practitioner")):
        # A role has no name of its own.
        name = resource_name(await _read(store, project, person) or {})
    return Agent(name or reference, reference=reference)


async def _read(store: Reading, project: str, name: str) -> Resource | None:
    stored = await store.read(project, *as_key(name))
    return None if stored is None or stored.deleted else decode(stored.body)
