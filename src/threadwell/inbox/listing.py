"""The list of sessions, newest first: each with whom, over what, and what was said last."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from threadwell.encounters.codes import ACT_CODE
from threadwell.fhir.resource import Resource
from threadwell.inbox.names import concept_text, name_of, new_text, resource_name
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.reviews import asked_about
from threadwell.inbox.words import (
    STATUS_SEARCHES,
    Channel,
    Status,
    channel_of,
    moment,
    period_text,
    status_of,
)

#: Sessions on a page.
PAGE = 25

_SESSIONS = f"Encounter?class={ACT_CODE}|VR&part-of:missing=true"
_SEEN = "status:not=entered-in-error,preparation"
_MANY = 1000
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One session of the list; ``asked`` where a question about it is open."""

    id: str
    name: str
    channels: tuple[Channel, ...]
    period: str
    messages: int
    status: Status
    asked: bool
    last_by: str
    last_text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list; ``patient`` is a name where it is one patient's."""

    rows: list[Row]
    total: int
    page: int
    more: bool
    status: str
    patient: str


@dataclass(frozen=True, slots=True)
class PatientFound:
    """A patient to choose among several of a name."""

    id: str
    name: str
    born: str


async def list_sessions(
    reader: Reader, *, status: str, patient: str, page: int, zone: ZoneInfo
) -> Listing:
    """Page ``page`` (from 1) of the sessions of that status; ``patient`` is an id, or ``""``."""
    chosen = STATUS_SEARCHES[status]
    name = ""
    if patient:
        found = await reader.read("Patient", patient)
        name = (resource_name(found) or "a patient") if found else "an unknown patient"
        ids = await _sessions_of(reader, patient)
        chosen = {**chosen, "_id": ",".join(ids) or "none"}
    encounters = await reader.search(
        _SESSIONS,
        **chosen,
        _sort="-date",
        _count=PAGE,
        _offset=(page - 1) * PAGE,
        _total="accurate",
    )
    return Listing(
        await _rows(reader, encounters.resources, zone),
        encounters.total or 0,
        page,
        encounters.more,
        status,
        name,
    )


async def find_patients(reader: Reader, name: str) -> list[PatientFound]:
    """The patients whose names begin with every word of ``name``, at most fifty.

    Only so many words count as a search has filters for.
    """
    words = [word.replace("\\", "").replace(",", "") for word in name.split()]
    query = "&".join(f"name={_quoted(word)}" for word in words[:_MOST_WORDS] if word)
    if not query:
        return []
    found = await reader.search(f"Patient?{query}", _sort="family", _count=50)
    return [
        PatientFound(
            patient["id"],
            resource_name(patient) or "Without a name",
            _birth(patient.get("birthDate")),
        )
        for patient in found.resources
    ]


async def subject_name(reader: Reader, encounter: Resource) -> str:
    """Whom an encounter is about; a ``Group`` by its members. References must be learned."""
    subject = encounter.get("subject")
    group = reader.known(subject)
    if not id_in(subject, "Group") or not group:
        return name_of(subject, reader) if subject else "Patient unclear"
    members = [member.get("entity") for member in group.get("member") or ()]
    await reader.learn(members)
    names = [name_of(member, reader) for member in members]
    return " & ".join(names) if names else resource_name(group) or "Several patients"


async def _sessions_of(reader: Reader, patient: str) -> list[str]:
    """Ids of the sessions that are about a patient, also by a medical encounter within one."""
    found = await reader.search("Encounter", subject=f"Patient/{patient}", _count=_MANY)
    ids = {id_in(e.get("partOf"), "Encounter") or e["id"]: None for e in found.resources}
    return list(ids)


async def _rows(reader: Reader, encounters: list[Resource], zone: ZoneInfo) -> list[Row]:
    if not encounters:
        return []
    await reader.learn(encounter.get("subject") for encounter in encounters)
    wanted = ",".join(f"Encounter/{encounter['id']}" for encounter in encounters)
    headers = await reader.search(
        f"Communication?encounter={wanted}&part-of:missing=true&{_SEEN}", _count=_MANY
    )
    threads: dict[str, list[Resource]] = defaultdict(list)
    for header in headers.resources:
        threads[id_in(header.get("encounter"), "Encounter")].append(header)
    asked = await asked_about(reader, [encounter["id"] for encounter in encounters])
    return [
        await _row(reader, e, threads[e["id"]], zone, asked=e["id"] in asked) for e in encounters
    ]


async def _row(
    reader: Reader, encounter: Resource, headers: list[Resource], zone: ZoneInfo, *, asked: bool
) -> Row:
    messages, last = 0, None
    for header in headers:
        newest = await reader.search(
            f"Communication?part-of=Communication/{header['id']}&{_SEEN}",
            _sort="-sent",
            _count=1,
            _total="accurate",
        )
        messages += newest.total or 0
        for child in newest.resources:
            if last is None or _sent(child, zone) > _sent(last, zone):
                last = child
    await reader.learn([last.get("sender")] if last else [])
    name = await subject_name(reader, encounter)
    return Row(
        id=encounter["id"],
        name=name,
        channels=tuple(dict.fromkeys(map(channel_of, headers))),
        period=period_text(encounter.get("period"), zone),
        messages=messages,
        status=status_of(encounter.get("status", "")),
        asked=asked,
        last_by=_speaker(last.get("sender"), name, reader) if last else "",
        last_text=_gist(last) if last else concept_text(next(iter(headers), {}).get("topic")),
    )


def _speaker(sender: Any, name: str, reader: Reader) -> str:
    """Who wrote last, ``""`` where the row is named after them."""
    if id_in(sender, "Organization"):
        return "Practice"
    speaker = name_of(sender, reader)
    return speaker if speaker != name else ""


def _gist(message: Resource) -> str:
    for payload in message.get("payload") or ():
        if text := " ".join((new_text(payload) or payload.get("contentString", "")).split()):
            return text[:200]
    return "An attachment" if message.get("payload") else "No text"


def _sent(message: Resource, zone: ZoneInfo) -> datetime:
    sent = moment(message.get("sent") or message.get("received"), zone)
    return sent if isinstance(sent, datetime) else datetime.min.replace(tzinfo=zone)


def _birth(text: Any) -> str:
    return str(text) if isinstance(text, str) else ""


def _quoted(word: str) -> str:
    return "".join(f"%{byte:02X}" for byte in word.encode())
