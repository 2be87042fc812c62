"""A projected resource over the one that is stored: what others added to it is kept."""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.encounters import codes
from threadwell.fhir.resource import Resource

#: The elements that a projection decides, by type. Everything else belongs to people and other
#: programs: diagnoses and reasons of an Encounter, notes and owner of a Task.
_OURS: Mapping[str, tuple[str, ...]] = {
    "Communication": (
        *("identifier", "inResponseTo", "status", "medium", "subject"),
        *("topic", "encounter", "sent", "recipient", "sender"),
    ),
    "Encounter": (
        *("identifier", "status", "statusHistory", "subject", "participant", "period", "partOf"),
    ),
    "Group": ("identifier", "active", "type", "actual", "quantity", "member"),
    "Task": ("identifier", "focus", "authoredOn", "reasonCode", "input"),
}
_WITHDRAWN = "entered-in-error"


def merged(stored: Resource, projected: Resource) -> Resource:
    """``stored`` with the projection's elements; equal to ``stored`` where nothing changes."""
    type_ = projected["resourceType"]
    ours = _OURS[type_]
    kept = {name: value for name, value in stored.items() if name not in ours}
    added = {name: value for name, value in projected.items() if name in ours or name not in stored}
    out = {**kept, **added}
    if type_ == "Task" and stored["status"] == "cancelled":
        out["status"] = projected["status"]
    return out


def withdrawn(stored: Resource) -> Resource:
    """``stored`` as something that is no longer so; it stays readable, and out of live searches."""
    match stored["resourceType"]:
        case "Group":
            return {**stored, "active": False}
        case "Task":
            return {**stored, "status": "cancelled"} if is_live(stored) else stored
        case _:
            return {**stored, "status": _WITHDRAWN}


def is_live(resource: Resource) -> bool:
    """Whether a resource of a circle still counts; an answered Task does not."""
    match resource["resourceType"]:
        case "Group":
            return resource.get("active") is not False
        case "Task":
            return str(resource["status"]) not in _CLOSED_TASKS
        case _:
            return str(resource["status"]) != _WITHDRAWN


def is_locked(encounter: Resource) -> bool:
    """Whether a session is finished and billed, so that nothing of it may change (§2)."""
    tags = (encounter.get("meta") or {}).get("tag") or ()
    billed = (codes.BILLED["system"], codes.BILLED["code"])
    return bool(encounter["status"] == "finished") and any(
        (tag.get("system"), tag.get("code")) == billed for tag in tags
    )


_CLOSED_TASKS = frozenset(("cancelled", "completed", "entered-in-error", "failed", "rejected"))
