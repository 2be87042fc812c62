"""The Provenance of what a late message has made untrue."""

from __future__ import annotations

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.resource import Resource

_WHY = "Messages that arrived later belong to the same session, or divide it: see the live ones."


def provenance_id(type_: str, id_: str, version_id: str) -> str:
    """The logical id of the Provenance of the version that was withdrawn."""
    return Identity(codes.PROVENANCE, f"{type_}/{id_}/_history/{version_id}").id


def provenance(type_: str, id_: str, recorded: str) -> Resource:
    """Tells when and why the resource became ``entered-in-error``; ``recorded`` is an instant."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{type_}/{id_}"}],
        "recorded": recorded,
        "activity": {
            "coding": [{"system": codes.DATA_OPERATION, "code": "NULLIFY", "display": "nullify"}]
        },
        "reason": [{"text": _WHY}],
        "agent": [{"who": {"display": "Threadwell"}}],
    }
