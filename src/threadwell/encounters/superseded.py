"""The Provenance of what is no longer so, and of what was taken over from it."""

from __future__ import annotations

from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.resource import Resource

#: Why a resource was superseded.
LATE = "Messages that arrived later belong to the same session, or divide it."
POLICY = "The session policy was changed."
ZONE = "The rules of the time zone have changed: its days were cut by zone data {}."
TIMES = "Times were put right that had been read in another time zone."
SHARED_ID = "Another message has the same id: each is recorded under an identity of its own."
COMPLETED = "A more complete copy of the message has come."
ANSWERED = "A person has answered whom the session is about."
RESETTLED = "A person has said who writes at an address that several share."
MERGED = "Two records of one patient were merged."
RETIMED = "Its time was put right, which had been read in another time zone."
_LIVE = "See the live resources of the same messages."
_TAKEN_OVER = "What others had added to a resource that was superseded was taken over."


def provenance_id(type_: str, id_: str, version_id: str, successor: str = "") -> str:
    """The logical id of the Provenance of the version that was withdrawn.

    With the reference of a ``successor`` it is the one of what that has taken over.
    """
    version = f"{type_}/{id_}/_history/{version_id}"
    return Identity(codes.PROVENANCE, f"{version}|{successor}" if successor else version).id


def provenance(type_: str, id_: str, recorded: str, why: str) -> Resource:
    """Tells when and why the resource became ``entered-in-error``; ``recorded`` is an instant."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{type_}/{id_}"}],
        "recorded": recorded,
        "activity": _activity("NULLIFY", "nullify"),
        "reason": [codes.provenance_reason(f"{why} {_LIVE}")],
        "agent": _AGENT,
    }


def taking_over(successor: str, version: str, recorded: str) -> Resource:
    """Tells that ``successor`` holds by now what others had added to that superseded version."""
    return _revision(successor, version, recorded, _TAKEN_OVER, "source")


def retimed(message: str, version: str, recorded: str) -> Resource:
    """Tells that a message has another time now than in that version of it."""
    return _revision(message, version, recorded, RETIMED, "revision")


def _revision(target: str, version: str, recorded: str, why: str, role: str) -> Resource:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": recorded,
        "activity": _activity("UPDATE", "revise"),
        "reason": [codes.provenance_reason(why)],
        "agent": _AGENT,
        "entity": [{"role": role, "what": {"reference": version}}],
    }


_AGENT = [{"who": {"display": "Threadwell"}}]


def _activity(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": codes.DATA_OPERATION, "code": code, "display": display}]}
