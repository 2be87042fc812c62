"""Patients found by what somebody types: a name, a phone number or a mail address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import phonenumbers

from threadwell.encounters.names import resource_name
from threadwell.fhir.resource import Resource
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import role_of
from threadwell.inbox.reader import Reader, id_in
from threadwell.messages import parse_address

#: The most patients that are found at once.
MOST = 50

_MOST_WORDS = 20
_MANY = 1000


@dataclass(frozen=True, slots=True)
class PatientFound:
    """A patient to choose among several."""

    id: str
    name: str
    born: str


@dataclass(frozen=True, slots=True)
class PersonFound:
    """Anybody to choose among several: ``who`` is a reference, ``role`` says what they are."""

    who: str
    name: str
    role: str
    born: str


async def find_people(reader: Reader, text: str, dates: Dates) -> list[PersonFound]:
    """The patients of a name, phone or mail address with their relatives, and others of the name.

    At most ``MOST`` patients, relatives and practitioners each.
    """
    patients = [one.id for one in await find_patients(reader, text, dates)]
    names = [f"Patient/{id_}" for id_ in patients]
    query = _by_name(text)
    found: list[Resource] = []
    if patients:
        of = ",".join(names)
        found += (await reader.search("RelatedPerson?", patient=of, _count=_MANY)).resources
    for type_ in ("RelatedPerson", "Practitioner"):
        if query:
            found += (await reader.search(f"{type_}?{query}", _count=MOST)).resources
    names += [f"{one['resourceType']}/{one['id']}" for one in found]
    return await people_of(reader, names, dates)


async def people_of(reader: Reader, names: Iterable[str], dates: Dates) -> list[PersonFound]:
    """Those people (references), in their order; who is not there is left out."""
    references = [{"reference": name} for name in dict.fromkeys(names)]
    await reader.learn(references)
    known = [(one["reference"], body) for one in references if (body := reader.known(one))]
    await reader.learn(body.get("patient") for _, body in known)
    return [
        PersonFound(
            name,
            resource_name(body) or "Without a name",
            _role(reader, name, body),
            dates.text(body.get("birthDate")),
        )
        for name, body in known
    ]


def _role(reader: Reader, name: str, body: Resource) -> str:
    role = role_of({"reference": name}, reader)
    patient = reader.known(body.get("patient"))
    return f"{role} of {resource_name(patient)}" if patient else role


async def find_patients(
    reader: Reader, text: str, dates: Dates, *, most: int = MOST
) -> list[PatientFound]:
    """The patients whose names begin with every word of ``text``, at most ``most``.

    Of a phone number or mail address, those who have it, and those whose relatives have it.
    """
    if address := parse_address(text, dates.country):
        found = await _by_address(reader, forms_of(address.value, dates.country))
        if found:
            return _shown(found[:most], dates)
    query = _by_name(text)
    if not query:
        return []
    answer = await reader.search(f"Patient?{query}", _sort="family", _count=most)
    return _shown(answer.resources, dates)


async def patients_of(reader: Reader, ids: Iterable[str], dates: Dates) -> list[PatientFound]:
    """The patients of those ids, in their order; who is not there is left out."""
    references = [{"reference": f"Patient/{id_}"} for id_ in dict.fromkeys(ids)]
    await reader.learn(references)
    return _shown(filter(None, map(reader.known, references)), dates)


async def patients_at(reader: Reader, value: str, country: str) -> list[str]:
    """The ids of the patients who have an address, or whose relatives have it."""
    return [one["id"] for one in await _by_address(reader, forms_of(value, country))]


def forms_of(value: str, country: str) -> list[str]:
    """An address as searches may meet it, each fit to be one of their values."""
    address = parse_address(value, country)
    forms = [value] if address is None else [value, *_also_written(address.value)]
    return ["".join(f"\\{c}" if c in "\\,$|" else c for c in form) for form in forms]


def encoded(text: str) -> str:
    """A text as it may stand in a query."""
    return quote(text, safe="")


def _by_name(text: str) -> str:
    """The part of a search that finds names of which every word of a text begins one."""
    words = [word.replace("\\", "").replace(",", "") for word in text.split()]
    # Only so many words count as a search has filters for.
    return "&".join(f"name={encoded(word)}" for word in words[:_MOST_WORDS] if word)


async def _by_address(reader: Reader, forms: list[str]) -> list[Resource]:
    written = encoded(",".join(forms))
    own = await reader.search(f"Patient?telecom={written}", _sort="family", _count=_MANY)
    theirs = await reader.search(f"RelatedPerson?telecom={written}", _count=_MANY)
    references = [
        one.get("patient") for one in theirs.resources if id_in(one.get("patient"), "Patient")
    ]
    await reader.learn(references)
    found = [*own.resources, *filter(None, map(reader.known, references))]
    return list({patient["id"]: patient for patient in found}.values())


def _also_written(value: str) -> list[str]:
    """A phone number with its country code and without; a mail address as it is."""
    if not value.startswith("+"):
        return [value]
    number = phonenumbers.parse(value)
    return [value, str(phonenumbers.national_significant_number(number))]


def _shown(patients: Iterable[Resource], dates: Dates) -> list[PatientFound]:
    return [
        PatientFound(
            patient["id"],
            resource_name(patient) or "Without a name",
            dates.text(patient.get("birthDate")),
        )
        for patient in patients
    ]
