"""The Provenance of what a person has said of messages: whom they are about."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.fhir.authors import authored, whose
from threadwell.fhir.resource import Resource

#: What a correction says, for people.
CORRECTED = "A person has said whom these messages are about."
#: Who has said something, where nothing tells.
SOMEBODY = "A person"
#: Who has changed a subject through the API.
_CHANGER = "Whoever changed the subject"
#: What is kept of who wrote a version, where that is a client of the API.
_CLIENT = "ClientApplication/"
_ANSWERED_BY = "answered by"


class Agent(NamedTuple):
    """Who does something: in words; by the id of the API's client, ``""`` for none; and as the
    person that a ``reference`` (``Practitioner/…``) names, ``""`` where nothing tells. ``through``
    is a reference to whoever acts for that person.
    """

    name: str
    client: str = ""
    reference: str = ""
    through: str = ""

    @property
    def author(self) -> str:
        """What is kept as the author of what they write, ``""`` for nobody."""
        client = f"{_CLIENT}{self.client}" if self.client else ""
        return authored(self.through, self.reference) or client

    @classmethod
    def of_author(cls, author: str) -> Agent:
        """Whoever has changed a resource through the API, by what is kept of its author."""
        author = whose(author)
        if author.startswith(_CLIENT):
            return cls(_CHANGER, author.removeprefix(_CLIENT))
        return cls(_CHANGER, reference=author)


#: Nobody who could be told.
NOBODY = Agent("")


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
        "agent": [{"who": as_reference(correction.by)}],
    }
    if correction.version:
        what: dict[str, Any] = {"reference": correction.version}
        out["entity"] = [{"role": "source", "what": what}]
    return out


def is_correction(provenance: Resource) -> bool:
    """Whether a Provenance of ours records a correction."""
    return any(one.get("text") == CORRECTED for one in provenance.get("reason") or ())


def said_by(record: Resource | None) -> str:
    """Who has said whom messages are about, within a sentence, by the record of it.

    That is a Provenance, or the Task of a question with its answer.
    """
    found: Resource = record or {}
    agents = (one.get("who") or {} for one in found.get("agent") or ())
    outputs = (
        one.get("valueReference") or {} for one in found.get("output") or () if is_answered_by(one)
    )
    who: dict[str, Any] = next(chain(agents, outputs), {})
    name = str(who.get("display") or SOMEBODY)
    if "reference" in who and name != _CHANGER:
        return name
    if name != _CHANGER and "identifier" in who:
        return f"the client “{name}”"
    return f"{name[:1].lower()}{name[1:]}"


def answered_by(by: Agent) -> list[dict[str, Any]]:
    """The output of a Task that tells who has answered it; empty where that is nobody's name."""
    if not by.author:
        return []
    return [{"type": {"text": _ANSWERED_BY}, "valueReference": as_reference(by)}]


def is_answered_by(output: dict[str, Any]) -> bool:
    """Whether an output of a Task tells who has answered it."""
    return bool((output.get("type") or {}).get("text") == _ANSWERED_BY)


def as_reference(by: Agent) -> dict[str, Any]:
    """A ``Reference`` to whoever it is."""
    if by.reference:
        return {"reference": by.reference, "display": by.name}
    # R4 has no resource type for a client of the API that could be referred to here.
    named = {"identifier": {"system": codes.CLIENT, "value": by.client}} if by.client else {}
    return {**named, "display": by.name}
