"""Which circle the messages of some patients belong to, before there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.links import as_key
from threadwell.intake.paging import search_all
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.writers import ANYWHERE
from threadwell.messages import Address, AddressKind, parse_address
from threadwell.threads import circle_key


class Unclear(ValueError):
    """Several circles have those patients; the message says so."""


async def circle_for(people: AddressBook, patients: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The key and patients of the circle in which those patients (``Patient/…``) write.

    It follows from their addresses and those of their family: a child whose mother writes for two
    belongs to the circle of both. Raises ``Unclear`` where it may be several, none of just them.
    """
    wanted = frozenset(patients)
    addresses = [one for patient in patients for one in await _addresses(people, patient)]
    await people.resolve(addresses)
    users = people.users(ANYWHERE)
    circles = {frozenset(users.party(one).circle) for one in addresses}
    circles = {one for one in circles if wanted <= one}
    if len(circles) > 1 and wanted not in circles:
        raise Unclear(f"{' and '.join(sorted(wanted))} may be written about by several families")
    found = wanted if wanted in circles or not circles else next(iter(circles))
    return circle_key(found), tuple(sorted(found))


async def _addresses(people: AddressBook, patient: str) -> list[Address]:
    key = as_key(patient)
    stored = await people.store.read(people.project, *key)
    bodies = [decode(stored.body)] if stored and not stored.deleted else []
    query = Query(
        "RelatedPerson", (ReferenceFilter("patient", (ReferenceMatch("Patient", key.id, ""),)),)
    )
    family = search_all(people.store, people.project, query)
    bodies += [decode(one.body) async for one in family]
    return [address for body in bodies for address in _telecom(body, people.settings.country)]


def _telecom(body: Resource, country: str) -> Iterable[Address]:
    if body.get("active") is False:
        return
    for point in body.get("telecom") or ():
        if value := str(point.get("value", "")):
            yield parse_address(value, country) or Address(AddressKind.OTHER, value)
