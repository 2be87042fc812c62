"""What Threadwell calls a thread or a message by stays on it, whatever an update leaves out.

A client that puts what it once wrote knows nothing of identifiers that were added since. Without
them nobody would know which message that is, and an import would bring another one.
"""

from __future__ import annotations

from threadwell.encounters.codes import BASE
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

_OURS = f"{BASE}identifier/"
_BYTES = _OURS.encode()


def keep_identity(resource: Resource, current: Stored) -> None:
    """Add to a Communication those of our identifiers that ``current`` has and it has not."""
    if current.type != "Communication" or _BYTES not in current.body:
        return
    there = resource.get("identifier") or []
    known = {(one.get("system"), one.get("value")) for one in there}
    missing = [
        one
        for one in decode(current.body).get("identifier") or ()
        if str(one.get("system", "")).startswith(_OURS)
        and (one["system"], one.get("value")) not in known
    ]
    if missing:
        resource["identifier"] = [*missing, *there]
