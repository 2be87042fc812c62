"""The systems and codes of the resources that Threadwell writes.

Our own systems lie under ``https://threadwell.dev/fhir/``. What each identifier identifies, and
out of what it is made, is told in docs/adr/0004-identity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

BASE = "https://threadwell.dev/fhir/"

# Identifiers. The first four are followed by the name of a channel.
MESSAGE = BASE + "identifier/message/"
APART = BASE + "identifier/message-apart/"
REFERENCE = BASE + "identifier/reference/"
THREAD = BASE + "identifier/thread/"
HEADER = BASE + "identifier/header"
SESSION = BASE + "identifier/session"
MEDICAL = BASE + "identifier/medical-encounter"
GROUP = BASE + "identifier/group"
CIRCLE = BASE + "identifier/circle"
REVIEW = BASE + "identifier/review"
ACT = BASE + "identifier/act"
TODO = BASE + "identifier/todo"
RUN = BASE + "identifier/rule-run"
SAVED = BASE + "identifier/saved-reply"
SHARED = BASE + "identifier/shared-address"
READ = BASE + "identifier/read"
RECEIPT = BASE + "identifier/read-receipt"
QUARANTINE = BASE + "identifier/quarantine"
ATTACHMENT = BASE + "identifier/attachment"
PROVENANCE = BASE + "identifier/superseded"
CORRECTION = BASE + "identifier/correction"
RETRACTION = BASE + "identifier/retraction"
CLIENT = BASE + "identifier/client"
PRACTICE = BASE + "identifier/practice"
ADDRESS = BASE + "identifier/address"
PERSON = BASE + "identifier/person/"
INTAKE = BASE + "identifier/intake"

#: Which account has brought a message: followed by the channel and the account.
SOURCE = BASE + "source/"

#: ``Task.input.type.text`` of a patient to choose from, of one whom somebody has chosen, and of one
#: whom the practice has named.
CANDIDATE = "candidate"
CHOSEN = "chosen"
SUGGESTION = "suggestion"

# Extensions.
EXT_ADDRESS = BASE + "StructureDefinition/address"
EXT_ATTRIBUTION = BASE + "StructureDefinition/attribution"
EXT_CHOSEN = BASE + "StructureDefinition/chosen-patient"
EXT_HANDLED = BASE + "StructureDefinition/handled-until"
EXT_DELIVERY = BASE + "StructureDefinition/delivery"
EXT_NEW_TEXT = BASE + "StructureDefinition/new-text"
EXT_WALL = BASE + "StructureDefinition/wall-time"
EXT_ARRIVAL = BASE + "StructureDefinition/time-of-arrival"
EXT_EDITED = BASE + "StructureDefinition/edited"
EXT_SOURCE = BASE + "StructureDefinition/identifier-source"
EXT_REMOVED = BASE + "StructureDefinition/removed-participant"
EXT_WRITER = BASE + "StructureDefinition/writer"
#: What each has read of a thread, on its header, as Medplum has it.
EXT_READ_STATE = "https://medplum.com/fhir/StructureDefinition/thread-read-state"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

#: What an identifier stands for, where its system does not tell: ``ANSWERED`` or ``ROOT``.
EXT_ROLE = BASE + "StructureDefinition/identifier-role"
#: The one of the messages named by a message that it says it answers.
ANSWERED = "answered"
#: The first message of a thread that has no name of its own.
ROOT = "first-message"

# Codes of Threadwell's own.
LOCK = BASE + "CodeSystem/lock"
TASK_CODE = BASE + "CodeSystem/task"
REASON = BASE + "CodeSystem/reason"
BASIS = BASE + "CodeSystem/attribution-basis"
DELIVERY = BASE + "CodeSystem/delivery-state"
CATEGORY = BASE + "CodeSystem/message-category"
TODO_STATE = BASE + "CodeSystem/todo-state"
TODO_ACT = BASE + "CodeSystem/todo-act"
TAG = BASE + "CodeSystem/thread-tag"
POOL = BASE + "CodeSystem/pool"

# Code systems of others.
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ENCOUNTER_TYPE = "https://medplum.com/fhir/CodeSystem/encounter-type"
PARTICIPATION_TYPE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PARTICIPATION_MODE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
DATA_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SNOMED = "http://snomed.info/sct"

#: Why a message is not where it was sent to.
NOT_DELIVERED = {"system": DELIVERY, "code": "failed", "display": "Failed"}

#: Why the record is changed: R4 has ``Provenance.reason`` say a purpose of use.
RECORDS_MANAGEMENT = {
    "system": ACT_REASON,
    "code": "RECORDMGT",
    "display": "records management",
}
VIRTUAL = {"system": ACT_CODE, "code": "VR", "display": "virtual"}
SESSION_TAG = {"system": ENCOUNTER_TYPE, "code": "session", "display": "Session"}
MEDICAL_TAG = {
    "system": ENCOUNTER_TYPE,
    "code": "medical-encounter",
    "display": "Medical Encounter",
}
#: The clinical type of a session where none is configured (US Core wants one of SNOMED or CPT).
BY_COMPUTER_LINK = {
    "system": SNOMED,
    "code": "185320006",
    "display": "Encounter by computer link",
}
#: ``Task.businessStatus`` of a question whose answer stands on the messages it was about.
APPLIED = {"system": BASE + "CodeSystem/answer", "code": "applied", "display": "Applied"}
#: ``Communication.category`` of a message that takes the place of one that was wrong.
CORRECTED_MESSAGE = {
    "coding": [{"system": CATEGORY, "code": "correction", "display": "Correction"}],
    "text": "correction",
}
#: ``Task.code`` of what a person has read of a thread, as Medplum has it.
READ_RECEIPT = {"system": "https://medplum.com/task-codes", "code": "read-receipt"}
#: The tag of an encounter that has been billed: once it is finished too, it is locked.
BILLED = {"system": LOCK, "code": "billed", "display": "Billed"}

#: How stores that were made before tell it, in ``Identifier.type.text``.
_SAID = {ANSWERED: "in reply to", ROOT: "first message"}
_PARTICIPATIONS = {
    "PPRF": "primary performer",
    "SPRF": "secondary performer",
    "ATND": "attender",
    "PART": "Participation",
}
_MODES = {
    "EMAILWRIT": "email",
    "SMSWRIT": "SMS message",
    "MMSWRIT": "MMS message",
    "APPWRIT": "messaging app",
}
_TASKS = {
    "add-participant": "Add participant",
    "close-session": "Close session",
    "close-thread": "Close thread",
    "open-session": "Open session",
    "quarantine": "Held message",
    "remove-participant": "Remove participant",
    "reopen-session": "Reopen session",
    "respond": "Respond to message",
    "reopen-thread": "Reopen thread",
    "review": "Needs review",
}
_REASONS = {
    "broken": "Not readable as a message",
    "future-date": "Sent in the future",
    "locked-session": "Belongs to a session that has been billed",
    "suspected-duplicate": "May be there already, by another way",
    "no-patient": "No patient takes part",
    "patient-unclear": "Which patient it is about is unclear",
    "set-aside": "Set aside: a draft, spam or a notice",
    "shared-address": "Several patients share the address",
    "unknown-recipient": "Nobody known has the address it went to",
    "writer-unclear": "Several people write, and some messages name nobody",
    "unknown-sender": "Nobody known has the address it came from",
}


def participation(code: str) -> dict[str, Any]:
    """The ``Encounter.participant.type`` of a v3 ParticipationType code."""
    return _concept(PARTICIPATION_TYPE, code, _PARTICIPATIONS.get(code, ""))


@lru_cache(maxsize=64)
def medium(code: str) -> dict[str, Any]:
    """The ``Communication.medium`` of a v3 ParticipationMode code. It is shared: leave it so."""
    return _concept(PARTICIPATION_MODE, code, _MODES.get(code, ""))


def identifier_role(code: str) -> dict[str, Any]:
    """The ``Identifier.extension`` that tells what the identifier stands for."""
    return {"url": EXT_ROLE, "valueCode": code}


def has_role(identifier: Mapping[str, Any], code: str) -> bool:
    """Whether the identifier stands for that."""
    said = (identifier.get("type") or {}).get("text")
    return identifier_role(code) in identifier.get("extension", ()) or said == _SAID[code]


def provenance_reason(text: str) -> dict[str, Any]:
    """The ``Provenance.reason`` of a change to the record, and why in words."""
    return {"coding": [RECORDS_MANAGEMENT], "text": text}


def task_code(*codes: str) -> dict[str, Any]:
    """The ``Task.code`` of a held message (``quarantine``), a question (``review``) or an act."""
    return {
        "coding": [{"system": TASK_CODE, "code": code, "display": _TASKS[code]} for code in codes]
    }


def reason(code: str) -> dict[str, Any]:
    """The ``Task.reasonCode`` of why something waits for a person."""
    return _concept(REASON, code, _REASONS[code])


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}
