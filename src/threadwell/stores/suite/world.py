"""A small practice with something for every kind of search. Every person in it is made up."""

from __future__ import annotations

from typing import Any

from threadwell.fhir.json import decode
from threadwell.stores.suite.scenario import Desk

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_LOINC = "http://loinc.org"
_UCUM = "http://unitsofmeasure.org"


def _ref(to: str) -> dict[str, str]:
    return {"reference": to}


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def _header(id_: str, status: str, subject: str, recipient: list[str]) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": id_,
        "status": status,
        "subject": _ref(subject),
        "sender": _ref(subject),
        "recipient": [_ref(to) for to in recipient],
        "identifier": [{"system": "https://example.org/thread", "value": id_}],
    }


def _child(id_: str, header: str, sent: str, sender: str) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": id_,
        "status": "completed",
        "partOf": [_ref(f"Communication/{header}")],
        "sender": _ref(sender),
        "sent": sent,
        "payload": [{"contentString": "text"}],
    }


def _observation(id_: str, value: str, unit: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": _concept(_LOINC, "8867-4", "Heart rate"),
        # Through JSON, as a resource from outside has its decimals.
        "valueQuantity": {"value": decode(value), "unit": text, "system": _UCUM, "code": unit},
        **more,
    }


def _audited(id_: str, recorded: str) -> dict[str, Any]:
    return {
        "resourceType": "AuditEvent",
        "id": id_,
        "type": {"code": "rest"},
        "recorded": recorded,
        "agent": [{"requestor": True}],
        "source": {"observer": {"display": "desk"}},
    }


#: In the order in which they are created.
WORLD: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "Patient",
        "id": "ana",
        "active": True,
        "gender": "female",
        "birthDate": "1980-05-04",
        "name": [{"family": "Prado", "given": ["Ana", "Zoë"]}],
        "telecom": [
            {"system": "phone", "value": "+1 555 010 0123"},
            {"system": "email", "value": "Ana@example.org"},
        ],
        "identifier": [
            {"system": "https://example.org/mrn", "value": "1"},
            {"system": "https://example.org/insurer", "value": "A-1"},
        ],
        "generalPractitioner": [_ref("Practitioner/kim")],
        "managingOrganization": _ref("Organization/clinic"),
        "meta": {"tag": [{"system": "https://example.org/tags", "code": "vip"}]},
    },
    {
        "resourceType": "Patient",
        "id": "ben",
        "gender": "male",
        "birthDate": "1980-12",
        "name": [{"text": "Ben Müller", "family": "Müller"}],
        "identifier": [{"value": "2"}],
        "managingOrganization": _ref("Organization/clinic"),
    },
    {
        "resourceType": "Patient",
        "id": "cem",
        "birthDate": "1975",
        "name": [{"family": "PRADOS"}],
        "link": [{"other": _ref("Patient/ana"), "type": "seealso"}],
        "managingOrganization": {
            "identifier": {"system": "https://example.org/npi", "value": "77"},
            "display": "Elsewhere",
        },
    },
    {"resourceType": "Patient", "id": "dee"},
    {"resourceType": "Practitioner", "id": "kim", "name": [{"family": "Kim"}]},
    {"resourceType": "Organization", "id": "clinic", "name": "Clinic at the Park"},
    {
        "resourceType": "Encounter",
        "id": "morning",
        "status": "finished",
        "class": {"system": _ACT, "code": "VR"},
        "subject": _ref("Patient/ana"),
        "serviceProvider": _ref("Organization/clinic"),
        "period": {"start": "2024-04-10T08:00:00Z", "end": "2024-04-10T09:30:00Z"},
    },
    {
        "resourceType": "Encounter",
        "id": "open",
        "status": "in-progress",
        "class": {"system": _ACT, "code": "VR"},
        "subject": _ref("Patient/ben"),
        "partOf": _ref("Encounter/morning"),
        "period": {"start": "2024-04-11T08:00:00Z"},
    },
    {
        "resourceType": "Encounter",
        "id": "untimed",
        "status": "planned",
        "class": {"system": _ACT, "code": "AMB"},
    },
    _header("h1", "in-progress", "Patient/ana", ["Patient/ana", "Practitioner/kim"])
    | {"encounter": _ref("Encounter/morning")},
    _header("h2", "completed", "Patient/ben", ["Patient/ben", "Practitioner/kim"]),
    _header("h3", "in-progress", "Patient/ben", ["Patient/ben"]),
    _child("m1", "h1", "2024-04-10T08:00:00Z", "Patient/ana"),
    _child("m2", "h1", "2024-04-10T09:30:00+02:00", "Practitioner/kim"),
    _child("m3", "h1", "2024-04-11T00:00:00.500Z", "Patient/ana"),
    _child("m4", "h2", "2024-04-09", "Patient/ben"),
    {
        "resourceType": "Task",
        "id": "pooled",
        "status": "requested",
        "intent": "order",
        "code": _concept("https://medplum.com/task-codes", "respond"),
        "performerType": [_concept("https://example.org/roles", "nurse")],
        "focus": _ref("Communication/h1"),
        "authoredOn": "2024-04-10T10:00:00Z",
    },
    {
        "resourceType": "Task",
        "id": "unread",
        "status": "requested",
        "intent": "order",
        "code": _concept("https://medplum.com/task-codes", "read-receipt"),
        "performerType": [_concept("https://example.org/roles", "nurse")],
        "owner": _ref("Practitioner/kim"),
        "focus": _ref("Communication/m1"),
        "authoredOn": "2024-04-10T08:00:01Z",
    },
    _observation("slow", "54.0", "/min", "/min", subject=_ref("Patient/ana")),
    _observation("even", "60", "/min", "/min", subject=_ref("Patient/ben")),
    _observation("fast", "120.5", "/min", "/min", subject=_ref("Patient/ana")),
    _observation(
        "warm", "38.5", "Cel", "degrees", code=_concept(_LOINC, "8310-5", "Body temperature")
    ),
    {
        "resourceType": "RiskAssessment",
        "id": "low",
        "status": "final",
        "subject": _ref("Patient/ana"),
        "prediction": [{"probabilityDecimal": decode("0.05")}],
    },
    {
        "resourceType": "RiskAssessment",
        "id": "high",
        "status": "final",
        "subject": _ref("Patient/ben"),
        "prediction": [{"probabilityDecimal": decode("0.90")}],
    },
    {
        "resourceType": "ValueSet",
        "id": "roles",
        "status": "active",
        "url": "https://example.org/fhir/ValueSet/roles",
    },
    {
        "resourceType": "ValueSet",
        "id": "nurses",
        "status": "active",
        "url": "https://example.org/fhir/ValueSet/roles/nurses",
    },
    {
        "resourceType": "Questionnaire",
        "id": "asked",
        "status": "active",
        "url": "https://example.org/fhir/Questionnaire/asked",
    },
    {
        "resourceType": "QuestionnaireResponse",
        "id": "answered",
        "status": "completed",
        "questionnaire": "https://example.org/fhir/Questionnaire/asked|2",
        "source": _ref("https://elsewhere.example.org/fhir/Patient/9"),
    },
    {
        "resourceType": "Practitioner",
        "id": "rio",
        "name": [{"family": "O'Dell", "given": ["Rio  Ann"]}],
    },
    {
        "resourceType": "Practitioner",
        "id": "sol",
        "name": [{"family": "Castro-Vega"}],
        "address": [{"text": "12, Elm St., Apt. 4"}],
    },
    {"resourceType": "Medication", "id": "vial", "batch": {"lotNumber": "Ab-12"}},
    _audited("fine", "2024-04-10T12:00:00.0005Z"),
    _audited("finer", "2024-04-10T12:00:00.001234567Z"),
)


async def at_once(desk: Desk) -> None:
    """The world, in one change set."""
    await desk.commit(*map(desk.write, WORLD))


async def one_by_one(desk: Desk) -> None:
    """The world, in its order."""
    await desk.put(*WORLD)
