"""A line of the trail → AuditEvents, one for each patient that it is about (IHE BALP).

They are made when they are looked at: a search that shows a hundred resources is one line.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threadwell.audit import codes
from threadwell.audit.record import Line, Record, Touched, operation_of
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant

#: How the ids of these AuditEvents begin; no other resource has such an id.
PREFIX = "audit."
_ID = re.compile(r"audit\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,8})")
_CLIENT = "ClientApplication/"
#: What the outcome of a refused request is told with.
_HIDDEN = ", hidden by a policy"
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


class EventId(NamedTuple):
    """The line, and which of its parts: 0 is what is about no patient."""

    line: int
    part: int

    def __str__(self) -> str:
        return f"{PREFIX}{self.line}.{self.part}"


def parse_id(text: str) -> EventId | None:
    """The parts of such an id; ``None`` for any other."""
    match = _ID.fullmatch(text)
    return EventId(int(match[1]), int(match[2])) if match else None


def events(line: Line) -> Iterator[Resource]:
    """The AuditEvents of a line: what is about no patient first, then by the ids of patients."""
    record = line.record
    places = {at for found in line.patients.values() for at in found}
    others = [one for at, one in enumerate(record.touched) if at not in places]
    if others or not line.patients:
        yield _event(line, 0, "", others)
    for part, patient in enumerate(sorted(line.patients), 1):
        of = [record.touched[at] for at in line.patients[patient]]
        yield _event(line, part, patient, of)


def parts(line: Line) -> int:
    """How many AuditEvents a line is."""
    places = {at for found in line.patients.values() for at in found}
    has_others = len(places) < len(line.record.touched) or not line.patients
    return len(line.patients) + has_others


def event(line: Line, part: int) -> Resource | None:
    """One of them."""
    wanted = str(EventId(line.n, part))
    return next((one for one in events(line) if one["id"] == wanted), None)


def _event(line: Line, part: int, patient: str, touched: Sequence[Touched]) -> Resource:
    record = line.record
    action = _action(record, touched)
    found: Resource = {
        "resourceType": "AuditEvent",
        "id": str(EventId(line.n, part)),
        "meta": {
            "versionId": "1",
            "lastUpdated": instant(record.at),
            **_profiles(record, action, patient),
        },
        "type": codes.REST if record.act in codes.INTERACTIONS else _own(record.act),
        "subtype": list(_subtypes(record)),
        "action": action,
        "recorded": instant(record.at),
        "outcome": _outcome(record.status),
    }
    if record.status >= 400:
        found["outcomeDesc"] = f"HTTP {record.status}{_HIDDEN * record.hidden}"
    if record.by.purpose:
        purpose: Resource = {"coding": [{"system": codes.PURPOSE, "code": record.by.purpose}]}
        if record.by.reason:
            purpose["text"] = record.by.reason
        found["purposeOfEvent"] = [purpose]
    found["agent"] = list(_agents(record, action))
    found["source"] = {
        "site": "Threadwell",
        "observer": {"display": "Threadwell"},
        "type": [codes.SERVER],
    }
    entities = list(_entities(record, patient, touched))
    if entities:
        found["entity"] = entities
    return found


def without_hidden(event: Resource) -> Resource:
    """The event as of what never was: for those who must not hear what a policy hides."""
    told = event.get("outcomeDesc", "")
    return {**event, "outcomeDesc": told.removesuffix(_HIDDEN)} if told else event


def _own(act: str) -> Resource:
    return {"system": codes.OWN, "code": act.partition(" ")[0] or "other"}


def _subtypes(record: Record) -> Iterator[Resource]:
    """What it was, and by which operation."""
    yield _subtype(record)
    if name := operation_of(record.asked):
        yield {"system": codes.OPERATION, "code": name}


def _subtype(record: Record) -> Resource:
    act = record.act
    if act in codes.INTERACTIONS:
        # The history of a type has no id before it, and that of all has no type.
        code = codes.NAMES.get(act, act)
        if act == "history":
            code = codes.HISTORIES.get(record.asked.count("/"), code)
        return {"system": codes.INTERACTION, "code": code}
    return {"system": codes.OWN, "code": act or "other"}


def _action(record: Record, touched: Sequence[Touched]) -> str:
    written = [one.how for one in touched if one.how != "R"]
    if written:
        # Of several changes at once the weightiest.
        return next(how for how in "DUC" if how in written)
    return codes.ACTIONS.get(record.act, "E")


def _profiles(record: Record, action: str, patient: str) -> Resource:
    """What it conforms to: BALP is about what was successful."""
    if record.status >= 400 or record.act not in codes.INTERACTIONS:
        return {}
    name = {"R": "Read", "E": "Query", "C": "Create", "U": "Update", "D": "Delete"}[action]
    if name == "Query" and record.act != "search":
        return {}
    return {"profile": [f"{codes.PROFILE}{'Patient' if patient else ''}{name}"]}


def _outcome(status: int) -> str:
    return "0" if status < 400 else "4" if status < 500 else "8"


def _agents(record: Record, action: str) -> Iterator[Resource]:
    by = record.by
    reads = action == "R"
    # A client that acts for nobody else is no agent beside itself.
    is_person = bool(by.who) and not by.who.startswith(_CLIENT)
    is_asking = not is_person and (bool(by.client) or not by.name)
    if by.acting:
        is_asking = by.acting.startswith(_CLIENT)
    client: Resource = {
        "type": {"coding": [codes.DESTINATION if reads else codes.SOURCE]},
        "who": _client(record),
        "requestor": is_asking,
    }
    if by.address:
        client["network"] = {"address": by.address, "type": "2"}
    yield client
    yield {
        "type": {"coding": [codes.SOURCE if reads else codes.DESTINATION]},
        "who": {"display": "Threadwell"},
        "requestor": False,
    }
    if is_person or (by.name and not by.client):
        user: Resource = {
            "type": {"coding": [codes.HUMAN]},
            "who": _reference(by.who) if is_person else {"display": by.name},
            "requestor": not by.acting,
            **({"role": [codes.ACTED_FOR]} if by.acting else {}),
        }
        if by.name:
            user["name"] = by.name
        if by.login:
            user["policy"] = [f"urn:threadwell:login:{by.login}"]
        if by.purpose:
            user["purposeOfUse"] = [{"coding": [{"system": codes.PURPOSE, "code": by.purpose}]}]
        yield user
    if by.acting and not is_asking:
        yield {
            "type": {"coding": [codes.HUMAN]},
            "who": _reference(by.acting),
            "requestor": True,
        }


def _client(record: Record) -> Resource:
    by = record.by
    if by.client:
        # R4 knows no registrations of clients: one is named by its id.
        return {
            "type": "Device",
            "identifier": {"system": codes.CLIENT, "value": by.client},
            "display": (not by.acting and by.name) or by.way or "api",
        }
    return {"display": by.way or "threadwell"}


def _reference(who: str) -> Resource:
    return {"reference": who} if _REFERENCE.fullmatch(who) else {"display": who}


def _entities(record: Record, patient: str, touched: Sequence[Touched]) -> Iterator[Resource]:
    if patient:
        yield {
            "what": {"reference": f"Patient/{patient}"},
            "type": codes.PERSON,
            "role": codes.PATIENT_ROLE,
        }
    for one in touched:
        yield {
            "what": {"reference": f"{one.type}/{one.id}/_history/{one.version}"},
            "type": codes.SYSTEM_OBJECT,
            "role": codes.DOMAIN_ROLE,
        }
    if record.act == "search" or record.query:
        text = f"{record.asked}?{record.query}" if record.query else record.asked
        yield {
            "type": codes.SYSTEM_OBJECT,
            "role": codes.QUERY_ROLE,
            "query": base64.b64encode(text.encode()).decode(),
        }
    elif record.asked and not touched:
        # What was asked for and not given: it may not even be there.
        yield {
            "type": codes.SYSTEM_OBJECT,
            "role": codes.DOMAIN_ROLE,
            **(
                {"what": {"reference": record.asked}}
                if _REFERENCE.fullmatch(record.asked)
                else {"name": record.asked}
            ),
        }
    if record.request:
        yield {
            "what": {"identifier": {"value": record.request}},
            "type": codes.REQUEST_ID,
        }
