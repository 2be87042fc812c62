"""The Provenance of what a person has said of messages: whom they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.fhir.resource import Resource

#: What a correction says, for people.
CORRECTED = "A person has said whom these messages are about."
#: Who has said something, where nothing tells.
SOMEBODY = "A person"
#: Who has changed a subject through the API.
_CHANGER = "Whoever changed the subject"
#: What is kept of who wrote a version, where that is a client of the API.
_CLIENT = "ClientApplication/"


class Agent(NamedTuple):
    """Who has made a correction: in words, and the id of the API's client, ``""`` for none."""

    name: str
    client: str = ""

    @classmethod
    def of_author(cls, author: str) -> Agent:
        """Whoever has changed a resource through the API, by what is kept of its author."""
        client = author.removeprefix(_CLIENT) if author.startswith(_CLIENT) else ""
        return cls(_CHANGER, client)


class Correction(NamedTuple):
    """A correction of messages (their logical ids) as its Provenance, of logical id ``id``.

    ``by`` says who made it; ``version`` is what they changed to say so
    (``Encounter/…/_history/…``), ``""`` where they said it to Threadwell.
    """

    id: str
    messages: tuple[str, ...]
    by: Agent
    version: str = ""


def correction_id(version: str, messages: Iterable[str]) -> str:
    """The logical id of the Provenance of what that version of a resource says of messages."""
    return Identity(codes.CORRECTION, "|".join((version, *messages))).id


def corrected(correction: Correction, recorded: str) -> Resource:
    """The Provenance; ``recorded`` is an instant."""
    out: Resource = {
        "resourceType": "Provenance",
        "target": [reference(f"Communication/{one}") for one in correction.messages],
        "recorded": recorded,
        "activity": {
            "coding": [{"system": codes.DATA_OPERATION, "code": "UPDATE", "display": "revise"}]
        },
        "reason": [codes.provenance_reason(CORRECTED)],
        "agent": [{"who": _who(correction.by)}],
    }
    if correction.version:
        what: dict[str, Any] = {"reference": correction.version}
        out["entity"] = [{"role": "source", "what": what}]
    return out


def is_correction(provenance: Resource) -> bool:
    """Whether a Provenance of ours records a correction."""
    return any(one.get("text") == CORRECTED for one in provenance.get("reason") or ())


def said_by(record: Resource | None) -> str:
    """Who has said whom messages are about, within a sentence, by the record of it."""
    who = next((one.get("who") or {} for one in (record or {}).get("agent") or ()), {})
    name = str(who.get("display") or SOMEBODY)
    if name != _CHANGER and "identifier" in who:
        return f"the client “{name}”"
    return f"{name[:1].lower()}{name[1:]}"


def _who(by: Agent) -> dict[str, Any]:
    # R4 has no resource type for a client of the API that could be referred to here.
    named = {"identifier": {"system": codes.CLIENT, "value": by.client}} if by.client else {}
    return {**named, "display": by.name}
