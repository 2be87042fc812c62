"""Whose address it is: resolves addresses against the people in the store (§3), once a run."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from threadwell.channels.chat.names import identifier_address, identifier_of
from threadwell.encounters import codes
from threadwell.encounters.child_ids import author_of
from threadwell.encounters.identity import Identity
from threadwell.encounters.mentions import Called, Names, called
from threadwell.encounters.people import Party, addresses_of, said_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.fold import contact_code
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.commits.values import Values
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.asked import Asked, all_asked, is_found_by_address
from threadwell.intake.people.made import practice_of, stranger_of
from threadwell.intake.people.question import writing
from threadwell.intake.people.relying import BY_TELECOM, Found
from threadwell.intake.people.route import Directory, address_key, as_author, party_key
from threadwell.intake.people.writers import ANYWHERE, At, Writers, where_it_stands
from threadwell.intake.settings import Settings
from threadwell.messages import Address, AddressKind, email_spellings, parse_address, spellings
from threadwell.stores.contract import Key, Store, Stored, Unchanged, Unmatched

#: Who speaks for the practice where several have one address.
_PRACTICE_ORDER = ("Practitioner", "PractitionerRole", "Organization")
#: Types of whoever writes on a patient's side.
_FAMILY = ("Patient", "RelatedPerson")
#: A channel's stand-in for the practice's own address, where it was not told.
_STAND_IN = ":owner"


@dataclass(slots=True)
class AddressBook:
    """The people whom this run has met. ``made`` are resources it has to write for them.

    ``writers`` are what people have said of who uses the addresses that were looked up, and
    ``questions`` the Tasks of that, by id; ``asked`` finds them.
    """

    store: Store
    project: str
    settings: Settings
    practice: str = ""
    made: dict[Key, Resource] = field(default_factory=dict)
    writers: Writers = field(default_factory=Writers)
    questions: dict[str, Stored] = field(default_factory=dict)
    values: Values | None = None
    asked: Asked = field(init=False)
    _by_address: bool = True
    _found: Found = field(default_factory=Found)
    _parties: dict[str, Party] = field(default_factory=dict)
    _called: dict[str, Called] = field(default_factory=dict)
    _own: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _tables: dict[tuple[str, ...], Names] = field(default_factory=dict)
    _organizations: list[tuple[str, Resource]] = field(default_factory=list)
    _ours: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.asked = Asked(self.values or Values(self.store), self.project)

    async def start(self) -> None:
        """Find the practice: who has its addresses, or the only one. If there is none, make one."""
        self._by_address = await is_found_by_address(self.store, self.project)
        if self._by_address:
            await self.asked.start()
            self.writers.narrow = self.asked.narrow
        else:
            async for stored in all_asked(self.store, self.project):
                self._learn([stored])
        query = Query("Organization")
        async for stored in search_all(self.store, self.project, query):
            self._organizations.append((f"Organization/{stored.id}", decode(stored.body)))
        own = {address_key(address) for address in self.settings.owner}
        having = (
            reference
            for reference, resource in self._organizations
            if resource.get("active") is not False
            and not own.isdisjoint(keys_of(resource, self.settings.country))
        )
        identity = Identity(codes.PRACTICE, "practice")
        there = [reference for reference, _ in self._organizations]
        active = [ref for ref, one in self._organizations if one.get("active") is not False]
        only = active[0] if len(active) == 1 else f"Organization/{identity.id}"
        self.practice = self.settings.organization or next(having, only)
        if self.practice not in there:
            if self.settings.organization:
                return
            self.made[Key("Organization", identity.id)] = practice_of(identity, self.settings)

    def forget(self, people: Collection[str], addresses: Collection[str]) -> set[str]:
        """Let go of what is known of people (``Patient/…``) who have changed.

        ``addresses`` are the keys of those that they have now. The keys of all that have to be
        looked up again are returned.
        """
        gone = {key for key in addresses if key in self._parties}
        gone |= {
            key
            for key, one in self._parties.items()
            if not one.circle.isdisjoint(people) or any(who in people for who in one.users)
        }
        for key in gone:
            del self._parties[key]
            self._own.pop(key, None)
        for one in people:
            self._called.pop(one, None)
        self._found.forget(people)
        self._tables.clear()
        return gone

    def wrote(self, stored: Stored, person: Resource) -> None:
        """Somebody whom this run had to make is there, or on their way."""
        self._found.add(stored, person)

    def rested_on(self, addresses: Iterable[Address]) -> tuple[list[Unmatched], list[Unchanged]]:
        """What has to hold still when that is committed which rests on who has those addresses.

        Nothing rests on those that nobody has looked up: of what was known before, say.
        """
        met = (one for one in addresses if address_key(one) in self._parties)
        others = (one for one in met if not self.is_own(one))
        tokens = {code for address in others for code in self._spellings(address)}
        return self._found.conditions(tokens) if tokens else ([], [])

    @property
    def size(self) -> int:
        """How many addresses and names are at hand."""
        return len(self._parties) + len(self._called)

    @property
    def strangers(self) -> Iterator[Address]:
        """Those addresses at hand that nobody has but a Patient made of them."""
        return (party.address for party in self._parties.values() if party.stranger)

    def party(self, address: Address) -> Party:
        """Everybody at an address that ``resolve`` was given, whatever was said of it."""
        return self._parties[address_key(address)]

    def users(self, where: At) -> Directory:
        """Whose addresses are in a message, going by what was said of them."""
        return _Users(self, where) if self.writers else self

    def may_use(self, address: Address) -> bool:
        """Whether a message may have its place, as far as who shares the address is concerned."""
        return self.writers.speak_of(address_key(address)) or not self.party(address).shared

    def user(self, address: Address, where: At) -> Party:
        """Who uses an address in a message; everybody whose it is, where nobody has said so."""
        party, said = self.party(address), self.writers.at(address_key(address), where)
        return party if said is None else party.limited(said.persons, said.task)

    def parties_of(
        self, child: Resource, circle: Sequence[str], thread_id: str, *, by_references: bool
    ) -> list[tuple[str, Party]]:
        """The parties of a stored child by the addresses on it in their order, with their keys.

        What was said of an address counts where the child bears it, or where it was said of that
        message: others had their place before.
        """
        actors = (child.get("sender") or {}, *(child.get("recipient") or ()))
        where = (
            where_it_stands(child, thread_id, by_references=by_references)
            if self.writers.narrow
            else ANYWHERE
        )
        out: list[tuple[str, Party]] = []
        author = author_of(child)
        for actor in actors:
            for address, task in zip(addresses_of(actor), said_of(actor), strict=True):
                if author and not out:
                    out.append(as_author(address, author))
                    continue
                party = _as_stored(self.party(address), actor.get("reference", ""), circle)
                said = self.writers.at(address_key(address), where) if self.writers else None
                if task or (said is not None and said.message is not None):
                    user = self.user(address, where)
                    if user.said and not user.circle.isdisjoint(circle):
                        party = user
                    elif task:
                        party = _before(party, circle, actor, task)
                out.append((party_key(address, party), party))
        return out

    def is_own(self, address: Address) -> bool:
        """Whether it is one of the practice's own addresses, or a channel's stand-in for it."""
        return (address.kind is AddressKind.OTHER and address.value.endswith(_STAND_IN)) or any(
            own.key == address.key for own in self.settings.owner
        )

    def take_as_own(self, addresses: Iterable[Address]) -> bool:
        """Take addresses that nobody is known to have for the practice's; true if any is new."""
        new = {key for address in addresses if (key := address_key(address)) not in self._ours}
        self._ours |= new
        met = [key for key in new if key in self._parties and not self._parties[key].known]
        for key in met:
            self._parties[key] = self._parties[key]._replace(practice=self.practice)
        return bool(met)

    async def resolve(self, addresses: Iterable[Address]) -> None:
        """Look up those addresses that this run has not met yet."""
        unmet = {
            key: address
            for address in addresses
            if (key := address_key(address)) not in self._parties
        }
        if not unmet:
            return
        found: dict[str, dict[str, list[Any]]] = {key: {} for key in unmet}
        spellings = {code for address in unmet.values() for code in self._spellings(address)}
        for type_ in BY_TELECOM:
            for some in chunks(spellings):
                wanted = tuple(TokenMatch(None, code) for code in some)
                query = Query(type_, (TokenFilter("telecom", wanted),))
                async for stored in search_all(self.store, self.project, query):
                    body = decode(stored.body)
                    self._note(found, type_, f"{type_}/{stored.id}", body)
                    self._found.add(stored, body)
        await self._find_by_identifier(unmet.values(), found)
        for reference, resource in self._organizations:
            self._note(found, "Organization", reference, resource)
        for key, address in unmet.items():
            self._parties[key] = self._party(address, found[key])
        if self._by_address:
            asked = await self.asked.of(unmet)
            await self.read_questions(task for tasks in asked.values() for task in tasks)

    async def _find_by_identifier(
        self, addresses: Iterable[Address], found: dict[str, dict[str, list[Any]]]
    ) -> None:
        """Find those whom an app names by an identifier that they have at the practice."""
        named = sorted({one for address in addresses if (one := identifier_of(address))})
        for some in chunks(named):
            wanted = tuple(TokenMatch(system, value) for system, value in some)
            for type_ in _FAMILY:
                query = Query(type_, (TokenFilter("identifier", wanted),))
                async for stored in search_all(self.store, self.project, query):
                    body = decode(stored.body)
                    self._note(found, type_, f"{type_}/{stored.id}", body)
                    self._found.add(stored, body)

    async def read_questions(self, tasks: Iterable[str]) -> None:
        """Have at hand those Tasks that ask or say who writes, given by their ids."""
        keys = [Key("Task", task) for task in tasks if task not in self.questions]
        found = await self.store.read_many(self.project, keys) if keys else {}
        self._learn(one for one in found.values() if not one.deleted)

    def _learn(self, tasks: Iterable[Stored]) -> None:
        there = {one.id: one for one in tasks}
        said = (writing(decode(one.body)) for one in there.values())
        self.writers.add(filter(None, said))
        self.questions.update(there)

    async def name(self, patients: Iterable[str]) -> None:
        """Read the names of those patients (``Patient/…``) that this run has not met."""
        unmet = [patient for patient in patients if patient not in self._called]
        keys = [Key("Patient", patient.partition("/")[2]) for patient in unmet]
        found = await self.store.read_many(self.project, keys) if keys else {}
        for patient, key in zip(unmet, keys, strict=True):
            stored = found.get(key)
            body = decode(stored.body) if stored and not stored.deleted else {}
            self._called[patient] = called(body)

    def names(self, patients: tuple[str, ...]) -> Names:
        """The names of a circle that ``name`` was given."""
        table = self._tables.get(patients)
        if table is None:
            table = Names({patient: self._called[patient] for patient in patients})
            self._tables[patients] = table
        return table

    def called(self, patient: str) -> Called:
        """What a patient is called that ``name`` was given."""
        return self._called[patient]

    def own_names(self, address: Address, party: Party) -> tuple[str, ...]:
        """The given names of the patients and family at an address that ``resolve`` was given.

        Where several use it, a name that stands in a message may be the other one's.
        """
        return () if party.joint else self._own.get(address_key(address), ())

    def make_patient(self, address: Address) -> None:
        """A Patient for a stranger's address; ``made`` has it until it is written."""
        identity = Identity(codes.ADDRESS, address_key(address))
        self.made[Key("Patient", identity.id)] = stranger_of(identity, address)
        patient = f"Patient/{identity.id}"
        self._called[patient] = Called(())
        bare = address._replace(display="")
        self._parties[address_key(address)] = Party(bare, (patient,), stranger=True)

    def _spellings(self, address: Address) -> set[str]:
        """The tokens under which a store may have indexed the address."""
        out = {contact_code(address.value)}
        if address.kind is AddressKind.OTHER:  # macOS writes an accent as a character of its own
            out.add(unicodedata.normalize("NFD", address.value))
        if address.kind is AddressKind.PHONE:
            out |= spellings(address.value, self.settings.country)
        if address.kind is AddressKind.EMAIL:
            out.update(email_spellings(address.value))
        return out

    def _note(
        self,
        found: dict[str, dict[str, list[Any]]],
        type_: str,
        reference: str,
        resource: Resource,
    ) -> None:
        if resource.get("active") is False:
            return
        patient = (resource.get("patient") or {}).get("reference", "")
        person = (patient, reference) if type_ == "RelatedPerson" else reference
        for key in keys_of(resource, self.settings.country):
            # Whoever has several of the addresses is found by each of them.
            if key in found and person not in found[key].setdefault(type_, []):
                found[key][type_].append(person)
                if type_ in _FAMILY:
                    self._own[key] = (*self._own.get(key, ()), *called(resource).given)

    def _party(self, address: Address, found: Mapping[str, list[Any]]) -> Party:
        bare = address._replace(display="")
        practice = next(
            (found[type_][0] for type_ in _PRACTICE_ORDER if len(found.get(type_, ())) == 1), ""
        )
        own = self.is_own(address)
        if own or any(found.get(type_) for type_ in _PRACTICE_ORDER):
            practice = practice or self.practice
        if own:
            return Party(bare, practice=practice)
        related = sorted(pair for pair in found.get("RelatedPerson", ()) if pair[0])
        patients = tuple(sorted(found.get("Patient", ())))
        made = f"Patient/{Identity(codes.ADDRESS, address_key(address)).id}"
        stranger = patients == (made,) and not related
        if not (patients or related or practice) and address_key(address) in self._ours:
            practice = self.practice
        return Party(bare, patients, tuple(related), practice, stranger)


def keys_of(resource: Resource, country: str) -> set[str]:
    """The keys of the addresses that a person has; numbers without a country belong to that one.

    Apps name patients and family by their identifiers, too.
    """
    out: set[str] = set()
    for point in resource.get("telecom") or ():
        value = point.get("value", "")
        address = parse_address(value, country) or Address(
            AddressKind.OTHER, unicodedata.normalize("NFC", value)
        )
        out.add(address_key(address))
    for one in resource.get("identifier") or () if resource.get("resourceType") in _FAMILY else ():
        named = identifier_address(str(one.get("system", "")), str(one.get("value", "")))
        if named is not None:
            out.add(address_key(named))
    return out


class _Users:
    """A directory of one message's addresses."""

    def __init__(self, book: AddressBook, where: At) -> None:
        self._book = book
        self._where = where

    def party(self, address: Address) -> Party:
        return self._book.user(address, self._where)


def _as_stored(party: Party, reference: str, circle: Sequence[str]) -> Party:
    """Whoever had the address when it was used, should nobody of the circle have it now."""
    if not reference or not party.circle.isdisjoint(circle):
        return party
    if reference in circle:
        return Party(party.address, (reference,))
    if reference.startswith("RelatedPerson/") and len(circle) == 1:
        return Party(party.address, related=((circle[0], reference),))
    return party if party.practice else Party(party.address, practice=reference)


def _before(party: Party, circle: Sequence[str], actor: Mapping[str, Any], task: str) -> Party:
    """Who used an address by an answer that is another one by now, while its circle stays so."""
    persons = [*party.patients, *(person for _, person in party.related)]
    patients = [*party.patients, *(patient for patient, _ in party.related)]
    those = {one for one, patient in zip(persons, patients, strict=True) if patient in circle}
    if not those:
        return Party(party.address, practice=str(actor.get("reference", "")), said=task)
    return party.limited(those, task)
