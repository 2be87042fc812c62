"""A projected resource over the one that is stored: what others added to it is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.people import address_of, kept_reference
from threadwell.encounters.review import ASKED
from threadwell.encounters.turned import removed_from
from threadwell.fhir.resource import Resource

#: The elements that a projection decides, by type. Everything else belongs to people and other
#: programs: diagnoses and reasons of an Encounter, notes and owner of a Task.
DECIDED: Mapping[str, tuple[str, ...]] = {
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
_CLOSED_TASKS = frozenset(("cancelled", "completed", "entered-in-error", "failed", "rejected"))
#: Lists of people, to which others may add: what they refer to is in the element, or its member.
_PEOPLE = {"participant": "individual", "recipient": ""}
#: What a resource that takes another one's place has for itself, as it is no longer the same.
_NEVER_CARRIED = (
    *("resourceType", "id", "meta", "text", "class"),
    *("description", "code", "intent"),
)
#: What in ``meta`` tells of the care and not of the resource.
_CARRIED_META = ("tag", "security", "profile")

#: Answers with the references of everybody who spoke and received in what is stored.
Spoke = Callable[[], Collection[str]]


def merged(stored: Resource, projected: Resource, spoke: Spoke) -> Resource:
    """``stored`` with the projection's elements; equal to ``stored`` where nothing changes.

    Participants and recipients whom somebody else has added are kept: those that are not among
    ``spoke``, so that no projection before can have put them there. So is what somebody has written
    in place of the words of a question; those follow what is asked.
    """
    type_ = projected["resourceType"]
    ours = DECIDED[type_]
    kept = {name: value for name, value in stored.items() if name not in ours}
    added = {name: value for name, value in projected.items() if name in ours or name not in stored}
    out = {**kept, **added, **_people(stored, projected, spoke)}
    if type_ == "Communication":
        out.pop("extension", None)
        if extensions := _extensions(stored, projected):
            out["extension"] = extensions
    if "subject" in projected and "subject" in stored:
        out["subject"] = kept_reference(stored["subject"], projected["subject"]["reference"])
    if type_ == "Task" and stored.get("description") in ASKED:
        out["description"] = projected["description"]
    if type_ == "Task" and (stored["status"] == "cancelled" or is_applied(stored)):
        # Asked anew: what was answered before was about other messages.
        out["status"] = projected["status"]
        out.pop("businessStatus", None)
        out.pop("output", None)
    return out


def carried(source: Resource, onto: Resource, spoke: Spoke, *, anew: bool) -> Resource:
    """``onto`` with what others have added to ``source``, whose place it takes.

    What is there already stays, and lists grow; but where ``onto`` is made ``anew``, that is what
    we would have written to ``source``, too, and what others made of it counts.
    """
    out = {**onto, **_people(source, onto, spoke)}
    ours = DECIDED[source["resourceType"]]
    for name, value in source.items():
        if name in ours or name in _NEVER_CARRIED:
            continue
        if name == "type":
            value = _retagged(value, onto["type"])
        there = out.get(name)
        if there is None or anew:
            out[name] = value
        elif isinstance(there, list):
            out[name] = there + [one for one in value if one not in there]
    meta, old = onto.get("meta") or {}, source.get("meta") or {}
    for name in _CARRIED_META:
        if more := [one for one in old.get(name) or () if one not in (meta.get(name) or ())]:
            meta = {**meta, name: [*(meta.get(name) or ()), *more]}
    return {**out, "meta": meta} if meta else out


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


def is_applied(task: Resource) -> bool:
    """Whether the answer to a question stands on the messages that it was about."""
    ours = (codes.APPLIED["system"], codes.APPLIED["code"])
    codings = (task.get("businessStatus") or {}).get("coding") or ()
    return any((one.get("system"), one.get("code")) == ours for one in codings)


def is_locked(encounter: Resource) -> bool:
    """Whether a session is finished and billed, so that nothing of it may change (§2)."""
    tags = (encounter.get("meta") or {}).get("tag") or ()
    billed = (codes.BILLED["system"], codes.BILLED["code"])
    return bool(encounter["status"] == "finished") and any(
        (tag.get("system"), tag.get("code")) == billed for tag in tags
    )


def _people(stored: Resource, projected: Resource, spoke: Spoke) -> dict[str, list[Any]]:
    """The lists of people of a projection, with those that others have added in ``stored``."""
    out: dict[str, list[Any]] = {}
    for name, member in _PEOPLE.items():
        ours = projected.get(name) or []
        known = {_who(one, member) for one in ours}
        more = [one for one in stored.get(name) or () if _who(one, member) not in known]
        if not member:
            # Others may have given a name to whom they have added.
            there = {_who(one, member): one for one in stored.get(name) or ()}
            named = [there.get(_who(one, member), one) if _is_bare(one) else one for one in ours]
            if named != ours:
                ours = out[name] = named
        if more and name == "recipient":
            left = removed_from(projected)
            more = [one for one in more if _who(one, member) not in left]
        if more:
            before = spoke()
            more = [one for one in more if not _is_ours(_who(one, member), one, before)]
        if more:
            out[name] = [*ours, *more]
    return out


def _extensions(stored: Resource, projected: Resource) -> list[Any]:
    """The extensions of a header: those of others, and the projection's."""
    others = [one for one in stored.get("extension") or () if one.get("url") != codes.EXT_REMOVED]
    return [*others, *(projected.get("extension") or ())]


def _who(one: Mapping[str, Any], member: str) -> str:
    reference = one.get(member) or {} if member else one
    return str(reference.get("reference") or one)


def _is_bare(one: Mapping[str, Any]) -> bool:
    return one.keys() == {"reference"}


def _is_ours(who: str, one: Mapping[str, Any], before: Collection[str]) -> bool:
    return who in before or (address_of(one) is not None and "reference" not in one)


def _retagged(types: list[Any], onto: list[Any]) -> list[Any]:
    """The types of one Encounter with the tag of another."""
    return [*filter(_is_tag, onto), *(one for one in types if not _is_tag(one))]


def _is_tag(concept: Mapping[str, Any]) -> bool:
    return any(one.get("system") == codes.ENCOUNTER_TYPE for one in concept.get("coding") or ())
