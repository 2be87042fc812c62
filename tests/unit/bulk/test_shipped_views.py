"""The views that a clinic counts by, over a few resources of the pattern."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.bulk.tables import shipped, shipped_names
from threadwell.encounters import codes
from threadwell.fhir.views.definition import compiled

KIND = "https://medplum.com/fhir/CodeSystem/encounter-type"


def encounter(id_: str, kind: str, **more: Any) -> dict[str, Any]:
    type_ = [{"coding": [{"system": KIND, "code": kind}]}, {"coding": [{"code": "185320006"}]}]
    return {"resourceType": "Encounter", "id": id_, "status": "finished", "type": type_, **more}


def ref(reference: str) -> dict[str, str]:
    return {"reference": reference}


RESOURCES = [
    encounter(
        "e1",
        "session",
        subject=ref("Patient/p"),
        serviceProvider=ref("Organization/o"),
        period={"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:40:00Z"},
        participant=[
            {"individual": ref("Practitioner/n")},
            {"individual": ref("Practitioner/m")},
            {"individual": ref("RelatedPerson/r")},
        ],
    ),
    encounter("e2", "session", status="in-progress", subject=ref("Group/g")),
    encounter("e3", "medical"),
    {
        "resourceType": "Communication",
        "id": "h",
        "identifier": [{"system": codes.HEADER, "value": "1"}],
        "status": "completed",
        "inResponseTo": [ref("Communication/h0")],
        "subject": ref("Patient/p"),
        "encounter": ref("Encounter/e1"),
        "sent": "2026-01-05T09:00:00Z",
    },
    {"resourceType": "Communication", "id": "of somebody else", "status": "completed"},
    {
        "resourceType": "Communication",
        "id": "q",
        "status": "completed",
        "partOf": [ref("Communication/h")],
        "subject": ref("Patient/p"),
        "sender": ref("Patient/p"),
        "sent": "2026-01-05T09:00:00Z",
        "medium": [{"coding": [{"code": "SMSWRIT"}]}],
        "payload": [{"contentString": "hello"}, {"contentAttachment": {"url": "Binary/b"}}],
    },
    {
        "resourceType": "Communication",
        "id": "a",
        "status": "completed",
        "partOf": [ref("Communication/h")],
        "subject": ref("Patient/p"),
        "sender": ref("Practitioner/n"),
        "inResponseTo": [ref("Communication/q")],
        "sent": "2026-01-05T09:40:00Z",
        "payload": [{"contentString": "good day"}],
    },
    {
        "resourceType": "Communication",
        "id": "t",
        "status": "completed",
        "partOf": [ref("Communication/h")],
        "sender": ref("Patient/p"),
        "inResponseTo": [ref("Communication/a")],
    },
]
GOLDEN = {
    "sessions": [
        {
            "session": "Encounter/e1",
            "status": "finished",
            "patient": "Patient/p",
            "practice": "Organization/o",
            "started": "2026-01-05T09:00:00Z",
            "ended": "2026-01-05T09:40:00Z",
            "practitioners": ["Practitioner/n", "Practitioner/m"],
        },
        {
            "session": "Encounter/e2",
            "status": "in-progress",
            "patient": None,
            "practice": None,
            "started": None,
            "ended": None,
            "practitioners": [],
        },
    ],
    "messages": [
        {
            "message": "Communication/q",
            "thread": "Communication/h",
            "patient": "Patient/p",
            "status": "completed",
            "medium": "SMSWRIT",
            "sent": "2026-01-05T09:00:00Z",
            "sender": "Patient/p",
            "from_patient": True,
            "answers": None,
            "files": 1,
        },
        {
            "message": "Communication/a",
            "thread": "Communication/h",
            "patient": "Patient/p",
            "status": "completed",
            "medium": None,
            "sent": "2026-01-05T09:40:00Z",
            "sender": "Practitioner/n",
            "from_patient": False,
            "answers": "Communication/q",
            "files": 0,
        },
        {
            "message": "Communication/t",
            "thread": "Communication/h",
            "patient": None,
            "status": "completed",
            "medium": None,
            "sent": None,
            "sender": "Patient/p",
            "from_patient": True,
            "answers": "Communication/a",
            "files": 0,
        },
    ],
    "response_times": [
        {
            "answer": "Communication/a",
            "thread": "Communication/h",
            "patient": "Patient/p",
            "sender": "Practitioner/n",
            "answered": "2026-01-05T09:40:00Z",
            "message": "Communication/q",
        }
    ],
    "threads": [
        {
            "thread": "Communication/h",
            "session": "Encounter/e1",
            "patient": "Patient/p",
            "status": "completed",
            "began": "2026-01-05T09:00:00Z",
            "before": "Communication/h0",
        }
    ],
}


@pytest.mark.parametrize("name", shipped_names())
def test_rows(name: str) -> None:
    view = compiled(shipped(name))
    of_type = [one for one in RESOURCES if one["resourceType"] == view.resource]
    assert [row for one in of_type for row in view.rows(one)] == GOLDEN[name]
    assert [one.name for one in view.columns] == list(GOLDEN[name][0])
    assert all(one.type for one in view.columns)
