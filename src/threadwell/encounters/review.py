"""The Task that asks a person which patients a session is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.encounter import identifiers
from threadwell.encounters.frame import Frame
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time
from threadwell.fhir.resource import Resource


def review(
    identity: Identity, encounter: str, since: int, suggested: Collection[str], frame: Frame
) -> Resource:
    """The open question about the session encounter of that id, with the patients it may be.

    Those whom the practice itself has named are ``suggested``; nothing follows from that.
    """
    return {
        "resourceType": "Task",
        "identifier": identifiers(identity, frame),
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("review"),
        "description": "Nothing in the messages tells which of these patients they are about.",
        "focus": reference(f"Encounter/{encounter}"),
        "authoredOn": fhir_time(since),
        "reasonCode": codes.reason("patient-unclear"),
        "input": [
            *(_input(codes.CANDIDATE, patient) for patient in frame.patients),
            *(_input(codes.SUGGESTION, patient) for patient in sorted(suggested)),
        ],
    }


def _input(kind: str, patient: str) -> dict[str, Any]:
    return {"type": {"text": kind}, "valueReference": reference(patient)}
