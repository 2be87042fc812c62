"""A patient as a page: sessions, threads, family, open questions and what is held back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from threadwell.encounters.names import resource_name
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.inbox.dates import Dates
from threadwell.inbox.finding import encoded, forms_of, patients_at
from threadwell.inbox.listing import Listing, list_sessions
from threadwell.inbox.names import address_text, concept_text
from threadwell.inbox.quarantine import HeldRow, held_of
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.reviews import Review, reviews_of
from threadwell.intake.links import circle_of
from threadwell.intake.reports.sessions import session_headers, topic_of, way_of_header
from threadwell.intake.reports.threads import thread_of
from threadwell.intake.reports.wanted import Wanted, sessions_of
from threadwell.messages import parse_address
from threadwell.threads import circle_key

_MANY = 1000
#: Threads of a page; a patient who writes mails has many.
_MOST_THREADS = 50
#: Held messages of a page.
_MOST_HELD = 200


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody of a patient's family; ``also_of`` are ids and names of others at an address."""

    name: str
    relationship: str
    addresses: tuple[str, ...]
    also_of: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One thread of a patient; ``session`` is the id of the latest session in it, and ``header``
    that of its thread header there.
    """

    topic: str
    way: str
    span: str
    sessions: int
    session: str
    header: str


@dataclass(frozen=True, slots=True)
class PatientView:
    """Everything that the page of a patient shows; ``facts`` are names with values.

    ``more_threads`` is how many threads there are beside those that are shown.
    """

    id: str
    name: str
    facts: list[tuple[str, str]]
    sessions: Listing
    threads: list[ThreadRow]
    more_threads: int
    family: list[Relative]
    reviews: list[Review]
    held: list[HeldRow]


async def load_patient(reader: Reader, patient: Resource, dates: Dates) -> PatientView:
    """The page of a Patient."""
    id_ = patient["id"]
    related = (await reader.search(f"RelatedPerson?patient=Patient/{id_}", _count=_MANY)).resources
    ids = await sessions_of(reader.view, reader.project, id_)
    threads = await _threads(reader, sorted(ids), dates)
    addresses = {
        address.value: address
        for person in (patient, *related)
        for value in _values(person)
        if (address := parse_address(value, dates.country))
    }
    circles = await _circles(reader, id_, ids, addresses, dates)
    return PatientView(
        id=id_,
        name=resource_name(patient) or "Without a name",
        facts=_facts(patient, dates),
        sessions=await list_sessions(reader, Wanted(patient=id_), dates=dates),
        threads=threads[:_MOST_THREADS],
        more_threads=max(0, len(threads) - _MOST_THREADS),
        family=[await _relative(reader, person, id_, dates) for person in related],
        reviews=await reviews_of(reader, f"Patient/{id_}", ids, circles, addresses.values(), dates),
        held=await held_of(reader, addresses, dates, most=_MOST_HELD),
    )


async def _circles(
    reader: Reader,
    patient: str,
    sessions: Iterable[str],
    addresses: Iterable[str],
    dates: Dates,
) -> list[str]:
    """The keys of the circles that a patient belongs to: of what was written, and of whoever may
    write from one of the addresses."""
    headers = await session_headers(reader.view, reader.project, sorted(sessions))
    found = {circle_of(header) for those in headers.values() for header in those}
    families = [{patient}]
    families += [{patient, *await patients_at(reader, one, dates.country)} for one in addresses]
    found |= {circle_key(f"Patient/{one}" for one in family) for family in families}
    return sorted(found - {""})


def _facts(patient: Resource, dates: Dates) -> list[tuple[str, str]]:
    born = dates.text(patient.get("birthDate"))
    numbers = [
        " ".join(filter(None, [concept_text(one.get("type")), str(one.get("value", ""))]))
        for one in patient.get("identifier") or ()
        if "threadwell.dev" not in str(one.get("system", ""))
    ]
    pairs = [
        ("Born", born),
        ("Gender", str(patient.get("gender", ""))),
        ("Reached at", ", ".join(map(address_text, _values(patient)))),
        ("Numbers", ", ".join(filter(None, numbers))),
        ("Active", "no" if patient.get("active") is False else ""),
    ]
    return [(name, value) for name, value in pairs if value]


async def _threads(reader: Reader, sessions: list[str], dates: Dates) -> list[ThreadRow]:
    """The threads of those sessions, the latest first."""
    by_thread: dict[Any, list[Resource]] = {}
    headers = await session_headers(reader.view, reader.project, sessions)
    for header in (one for those in headers.values() for one in those):
        if header.get("status") != "entered-in-error":
            by_thread.setdefault(thread_of(header) or header["id"], []).append(header)
    rows = []
    for those in by_thread.values():
        those.sort(key=_sent)
        first, last = those[0], those[-1]
        row = ThreadRow(
            topic=topic_of(last) or "Thread",
            way=way_of_header(last),
            span=dates.span(first.get("sent"), last.get("sent")) if first.get("sent") else "",
            sessions=len({id_in(one.get("encounter"), "Encounter") for one in those}),
            session=id_in(last.get("encounter"), "Encounter"),
            header=last["id"],
        )
        rows.append((_sent(last), row))
    return [row for _, row in sorted(rows, key=lambda one: one[0], reverse=True)]


async def _relative(reader: Reader, person: Resource, patient: str, dates: Dates) -> Relative:
    others: dict[str, None] = {}
    values = _values(person)
    written = ",".join(form for value in values for form in forms_of(value, dates.country))
    if written:
        query = f"RelatedPerson?telecom={encoded(written)}"
        for other in (await reader.search(query, _count=_MANY)).resources:
            if (who := id_in(other.get("patient"), "Patient")) and who != patient:
                others[who] = None
    references = [{"reference": f"Patient/{who}"} for who in others]
    await reader.learn(references)
    relationships = filter(None, map(concept_text, person.get("relationship") or ()))
    return Relative(
        name=resource_name(person) or "Without a name",
        relationship=", ".join(relationships),
        addresses=tuple(map(address_text, values)),
        also_of=tuple(
            (who, resource_name(known))
            for who, reference in zip(others, references, strict=True)
            if (known := reader.known(reference))
        ),
    )


def _values(person: Resource) -> list[str]:
    return [str(one["value"]) for one in person.get("telecom") or () if one.get("value")]


def _sent(header: Resource) -> int:
    try:
        return parse_fhir_time(str(header.get("sent", "")))
    except ValueError:
        return 0
