"""The Task that asks a person which patients a session is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.encounter import identifiers
from threadwell.encounters.frame import Frame
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time
from threadwell.fhir.resource import Resource

_NOBODY = "Nothing in the messages tells which of these patients they are about."
_SOME = (
    "Several people use this phone. Some of their messages name nobody: whom are those about? "
    "One message alone is put right on the page of the session."
)
#: How a question is worded, whatever it asks.
ASKED = frozenset((_NOBODY, _SOME))


class Asking(NamedTuple):
    """A question about the session encounter of that id, ``since`` its first message (µs).

    Those whom the practice itself has named are ``suggested``; nothing follows from that. ``some``
    says that it is about messages that name nobody beside others that do.
    """

    encounter: str
    since: int
    suggested: Collection[str]
    some: bool = False


def review(identity: Identity, asking: Asking, frame: Frame) -> Resource:
    """The open question about a session, with the patients whom it may be about."""
    return {
        "resourceType": "Task",
        "identifier": identifiers(identity, frame),
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("review"),
        "description": _SOME if asking.some else _NOBODY,
        "focus": reference(f"Encounter/{asking.encounter}"),
        "authoredOn": fhir_time(asking.since),
        "reasonCode": codes.reason("writer-unclear" if asking.some else "patient-unclear"),
        "input": [
            *(_input(codes.CANDIDATE, patient) for patient in frame.patients),
            *(_input(codes.SUGGESTION, patient) for patient in sorted(asking.suggested)),
        ],
    }


def asks_of_some(task: Resource) -> bool:
    """Whether a question is about messages that name nobody beside others that do."""
    codings = (task.get("reasonCode") or {}).get("coding") or ()
    return any(one.get("code") == "writer-unclear" for one in codings)


def _input(kind: str, patient: str) -> dict[str, Any]:
    return {"type": {"text": kind}, "valueReference": reference(patient)}
