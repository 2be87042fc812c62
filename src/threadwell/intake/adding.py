"""A person says whose an address is that nobody was known to have: what was held has its place.

Somebody in the record gets the address, or somebody new is made who has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, as_reference
from threadwell.encounters.people import reference
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import instant, new_id
from threadwell.fhir.validation import validate
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.held.release import Wanted
from threadwell.intake.importing import replay
from threadwell.intake.links import as_key
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import address_key
from threadwell.intake.seat import Seat
from threadwell.messages import Address, parse_address
from threadwell.stores.contract import ChangeSet, Conflict, Key, Store, Stored, Unmatched

#: Who may have an address: a message goes to them by it.
_PEOPLE = ("Patient", "RelatedPerson", "Practitioner")
_ADDED = "A person has said whose address this is."


class BadPerson(ValueError):
    """Nobody can get the address so; it says why, without any name or address."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who is not in the record yet: a patient, or who writes for ``patients``.

    ``patients`` are references (``Patient/…``); a RelatedPerson is made for each of them.
    ``relationship`` says in words what they are to them.
    """

    given: str = ""
    family: str = ""
    born: date | None = None
    patients: tuple[str, ...] = ()
    relationship: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """Who has the address now (``Patient/…``), and what has become of messages that were held."""

    people: tuple[str, ...]
    report: Report


async def add_address(seat: Seat, address: Address, whose: Sequence[str] | NewPerson) -> Added:
    """Let an address be that of people who are in the record, or of somebody new.

    ``whose`` are references to a Patient, RelatedPerson or Practitioner. What was held for it has
    its place at once: ``Added.report.replayed`` counts it. Raises ``BadPerson`` where somebody
    else has the address by now, or who is named is not there, and ``Contended``.
    """
    store, project, settings = seat.store, seat.project, seat.settings
    patience = Patience()
    while await patience.turn():
        batch = Batch(updated=seat.clock(), author=seat.by.author)
        unmatched: tuple[Unmatched, ...] = ()
        if isinstance(whose, NewPerson):
            book = AddressBook(store, project, settings)
            await book.start()
            await book.resolve([address])
            if book.party(address).known:
                raise BadPerson("somebody has that address by now: look them up")
            # Two who make the same person at once must not make two who share an address.
            unmatched = tuple(_nobody_has(address, type_) for type_ in _PEOPLE)
            people = await _made(store, project, batch, address, whose)
        else:
            people = await _given(store, project, batch, address, whose, settings.country)
        if batch.writes:
            _tell(batch, people, seat.by)
        try:
            await store.commit(project, ChangeSet(tuple(batch.writes.values()), unmatched))
        except Conflict:
            continue
        report = await replay(seat, wanted=Wanted({address_key(address)}))
        return Added(people, report)
    raise Contended("others keep writing to the same people; try again when they are done")


async def _given(
    store: Store,
    project: str,
    batch: Batch,
    address: Address,
    whose: Sequence[str],
    country: str,
) -> tuple[str, ...]:
    """Give the address to people who are there; nothing is written for those who have it."""
    if not whose:
        raise BadPerson("an address is somebody's: name at least one person")
    for name in whose:
        before, body = await _read(store, project, name, _PEOPLE)
        values = (str(one.get("value", "")) for one in body.get("telecom") or ())
        known = {address_key(one) for value in values if (one := parse_address(value, country))}
        if address_key(address) not in known:
            telecom = [*(body.get("telecom") or ()), _point(address)]
            batch.write(as_key(name), {**body, "telecom": telecom}, before)
    return tuple(whose)


async def _made(
    store: Store, project: str, batch: Batch, address: Address, person: NewPerson
) -> tuple[str, ...]:
    given, family = person.given.split(), " ".join(person.family.split())
    if not given and not family:
        raise BadPerson("a person has a name")
    if person.born and person.born > datetime.now(UTC).date():
        raise BadPerson("nobody is born on a day to come")
    name = {
        **({"family": family} if family else {}),
        **({"given": given} if given else {}),
    }
    common: Resource = {"name": [name], "telecom": [_point(address)]}
    if person.born:
        common["birthDate"] = person.born.isoformat()
    made: list[Resource] = []
    for patient in person.patients:
        await _read(store, project, patient, ("Patient",))
        of: Resource = {"resourceType": "RelatedPerson", "patient": reference(patient), **common}
        if words := " ".join(person.relationship.split()):
            of["relationship"] = [{"text": words}]
        made.append(of)
    out: list[str] = []
    for resource in made or [{"resourceType": "Patient", **common}]:
        if issues := validate(resource):
            raise BadPerson(f"{issues[0].expression}: {issues[0].text}")
        key = Key(resource["resourceType"], new_id(batch.updated))
        batch.write(key, resource)
        out.append(f"{key.type}/{key.id}")
    return tuple(out)


async def _read(
    store: Store, project: str, name: str, types: Sequence[str]
) -> tuple[Stored, Resource]:
    key = as_key(name)
    found = await store.read(project, *key) if key.type in types else None
    if found is None or found.deleted:
        raise BadPerson(f"there is no {' or '.join(types)} of that id")
    return found, decode(found.body)


def _tell(batch: Batch, people: Sequence[str], by: Agent) -> None:
    """Record who has said so, where that is somebody."""
    if not by.author and not by.name:
        return
    key = Key("Provenance", new_id(batch.updated))
    batch.write(
        key,
        {
            "resourceType": "Provenance",
            "target": [reference(one) for one in people],
            "recorded": instant(batch.updated),
            "activity": {
                "coding": [{"system": codes.DATA_OPERATION, "code": "UPDATE", "display": "revise"}]
            },
            "reason": [codes.provenance_reason(_ADDED)],
            "agent": [{"who": as_reference(by)}],
        },
    )


def _point(address: Address) -> Resource:
    return {"system": str(address.kind), "value": address.value}


def _nobody_has(address: Address, type_: str) -> Unmatched:
    has = TokenFilter("telecom", (TokenMatch(None, address.value),))
    return Unmatched(Query(type_, (has,)))
