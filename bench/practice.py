"""A made-up practice of any size, for the benchmarks: threads of twenty messages."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

from threadwell.fhir.stamp import instant, new_id, stamp
from threadwell.stores.contract import Write

#: Communications in a thread: a header and its messages.
THREAD = 21
#: 2024-01-01T00:00:00Z in milliseconds.
START = 1_704_067_200_000
PRACTITIONERS = 50

_VR = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
_SMS = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
            "code": "SMSWRIT",
            "display": "SMS message",
        }
    ]
}
_TEXT = (
    "Good morning, the new dose agrees with me and I slept well. Could you send the plan for"
    " next week, and shall I come in before the holidays or is a call enough?"
)


def thread(number: int, seed: int = 1) -> Iterator[Write]:
    """The writes of one thread: session encounter, header, twenty messages."""
    random = Random(f"{seed}-{number}")
    at = START + number * 60_000
    patient = f"Patient/{_id('p', number // 3)}"
    practitioner = f"Practitioner/{_id('d', random.randrange(PRACTITIONERS))}"
    encounter, header = _id("e", number), _id("h", number)
    status = "in-progress" if number % 10 else "completed"
    yield _write(
        "Encounter",
        encounter,
        at,
        {
            "status": "in-progress",
            "class": _VR,
            "subject": {"reference": patient},
            "period": {"start": instant(at)},
            "identifier": [{"system": "https://example.org/session", "value": encounter}],
        },
    )
    yield _write(
        "Communication",
        header,
        at + random.randrange(60_000),
        {
            "status": status,
            "subject": {"reference": patient},
            "sender": {"reference": patient},
            "recipient": [{"reference": patient}, {"reference": practitioner}],
            "topic": {"text": "Plan"},
            "medium": [_SMS],
            "encounter": {"reference": f"Encounter/{encounter}"},
            "identifier": [{"system": "https://example.org/thread", "value": header}],
        },
    )
    for position in range(THREAD - 1):
        id_ = _id("m", number * THREAD + position)
        sender, recipient = (patient, practitioner) if position % 2 else (practitioner, patient)
        yield _write(
            "Communication",
            id_,
            at + position * 1000,
            {
                "status": "completed",
                "partOf": [{"reference": f"Communication/{header}"}],
                "subject": {"reference": patient},
                "sender": {"reference": sender},
                "recipient": [{"reference": recipient}],
                "sent": instant(at + position * 1000),
                "received": instant(at + position * 1000 + 300),
                "medium": [_SMS],
                "identifier": [{"system": "https://example.org/message", "value": id_}],
                "payload": [{"contentString": _TEXT}],
            },
        )


def _write(type_: str, id_: str, at: int, members: dict[str, Any]) -> Write:
    resource, body = stamp({"resourceType": type_, **members}, id_, new_id(at), at)
    return Write(type_, id_, resource["meta"]["versionId"], at, resource, body)


def _id(kind: str, number: int) -> str:
    # As long and as scattered as a UUID.
    return str(UUID(int=Random(f"{kind}{number}").getrandbits(128)))


def header_id(number: int) -> str:
    """The id of a thread's header."""
    return _id("h", number)


def encounter_id(number: int) -> str:
    """The id of a thread's session encounter."""
    return _id("e", number)


def patient_id(number: int) -> str:
    """The id of a thread's patient."""
    return _id("p", number // 3)


def practitioner_id(number: int) -> str:
    """The id of one of the practice's people."""
    return _id("d", number)
