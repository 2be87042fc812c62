"""People whom nobody has described: made of an address, until somebody does."""

from __future__ import annotations

from threadwell.encounters.identity import Identity
from threadwell.fhir.resource import Resource
from threadwell.intake.settings import Settings
from threadwell.messages import Address


def practice_of(identity: Identity, settings: Settings) -> Resource:
    """The Organization of a practice that nobody has described."""
    out: Resource = {
        "resourceType": "Organization",
        "identifier": [identity.as_json()],
        "active": True,
        "name": settings.practice_name,
    }
    if settings.owner:
        out["telecom"] = [
            {"system": str(own.kind), "value": own.value} for own in sorted(settings.owner)
        ]
    return out


def stranger_of(identity: Identity, address: Address) -> Resource:
    """The Patient of an address that is nobody's."""
    return {
        "resourceType": "Patient",
        "identifier": [identity.as_json()],
        "name": [{"text": address.value}],
        "telecom": [{"system": str(address.kind), "value": address.value}],
    }
