"""What Threadwell finds a resource by stays on it, whichever way a client writes it.

The table is ``encounters/anchors.py``; every update and patch goes by it, alone or in a Bundle.
"""

from __future__ import annotations

from threadwell.encounters.anchors import ANCHORED, Adrift, anchored
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

_OURS = f"{BASE}identifier/".encode()
#: A type whose resources have no identifier, by which they could be told to be ours.
_UNNAMED = "Provenance"


def keep_anchors(resource: Resource, current: Stored, *, patched: bool) -> Resource:
    """The resource with what it leaves out of that by which Threadwell finds it.

    Raises 422 where it says otherwise, or was ``patched`` so that it is gone.
    """
    if current.type not in ANCHORED or (current.type != _UNNAMED and _OURS not in current.body):
        return resource
    try:
        return anchored(decode(current.body), resource, named=patched)
    except Adrift as adrift:
        path = f"{current.type}.{adrift.element}"
        raise FhirError(422, [Issue("business-rule", str(adrift), path)]) from None
