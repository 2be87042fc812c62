"""A message that was taken back: it keeps its place in the record, and counts for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, as_reference
from threadwell.encounters.identity import Identity
from threadwell.encounters.placed import Placed
from threadwell.fhir.resource import Resource

#: The status of a message that was taken back.
RETRACTED = "entered-in-error"
#: Why, where nobody has said it.
TAKEN_BACK = "It was taken back."
#: The same of what its sender has deleted, or given other words, where it was sent.
BY_SENDER = "Its sender has taken it back."
REWORDED = "Its sender has given it other words since."
#: The same of a wording that came before the one whose words it has.
REPEATED = "It has the words that the message had already."
#: Why such a wording counts after all.
RETURNED = "Its sender has given it these words again, after others."


def told(messages: Sequence[Placed]) -> Sequence[Placed]:
    """The messages that count: those that nobody has taken back, or all where there is none.

    What has only such messages has to stand somewhere, and began at some time, all the same.
    """
    return [one for one in messages if not one.retracted] or messages


def retracted(stored: Resource, why: str) -> Resource:
    """A stored child that is taken back; what it said stays readable in it."""
    return {**stored, "status": RETRACTED, "statusReason": {"text": why or TAKEN_BACK}}


def is_repeat(stored: Resource) -> bool:
    """Whether a stored child was taken back only because it has the words of one before."""
    return bool((stored.get("statusReason") or {}).get("text") == REPEATED)


def restored(stored: Resource) -> Resource:
    """A stored child that was such a repeat, and counts after all."""
    out = {name: value for name, value in stored.items() if name != "statusReason"}
    return {**out, "status": "completed"}


def retraction_id(id_: str, version_id: str) -> str:
    """The logical id of the Provenance of taking back that version of a message."""
    return Identity(codes.RETRACTION, f"Communication/{id_}/_history/{version_id}").id


def retraction(id_: str, by: Agent, why: str, recorded: str, *, undone: bool = True) -> Resource:
    """The Provenance: who has taken the message back and why; ``recorded`` is an instant.

    Not ``undone`` is one that counts again.
    """
    activity: dict[str, Any] = {
        "system": codes.DATA_OPERATION,
        "code": "NULLIFY" if undone else "UPDATE",
        "display": "nullify" if undone else "revise",
    }
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"Communication/{id_}"}],
        "recorded": recorded,
        "activity": {"coding": [activity]},
        "reason": [codes.provenance_reason(why or TAKEN_BACK)],
        "agent": [{"who": as_reference(by)}],
    }
