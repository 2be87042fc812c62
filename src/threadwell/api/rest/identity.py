"""What Threadwell calls a resource by stays on it, whatever an update leaves out.

A client that puts what it once wrote knows nothing of identifiers that were added since. Without
them nobody would know which message that is, and an import would bring another one; nor would a
session, or the Task of a thread, be found. A message without its time would have no place.
"""

from __future__ import annotations

from threadwell.encounters.child import own_of
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

_OURS = f"{BASE}identifier/"
_BYTES = _OURS.encode()
_TYPES = ("Communication", "Encounter", "Group", "Task")
_TIME = ("sent", "_sent")


def keep_identity(resource: Resource, current: Stored) -> None:
    """Add to a resource those of our identifiers that ``current`` has and it has not.

    A message gets its time, too, if it has none.
    """
    if current.type not in _TYPES or _BYTES not in current.body:
        return
    body: Resource = decode(current.body)
    there = resource.get("identifier") or []
    known = {(one.get("system"), one.get("value")) for one in there}
    missing = [
        one
        for one in body.get("identifier") or ()
        if str(one.get("system", "")).startswith(_OURS)
        and (one["system"], one.get("value")) not in known
    ]
    if missing:
        resource["identifier"] = [*missing, *there]
    if own_of(body) is not None and "sent" not in resource:
        resource.update({name: body[name] for name in _TIME if name in body})
