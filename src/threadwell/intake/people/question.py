"""The Task that asks who writes at an address that several share, and the answers to it. Pure.

There is one for an address. An answer that holds for one thread or one message is a Task of its
own. The ``output`` of each names the people, and ``businessStatus`` tells of which people the
messages that have a place say so already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.corrected import NOBODY, Agent, answered_by
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time
from threadwell.fhir.resource import Resource
from threadwell.intake.people.route import address_key
from threadwell.intake.people.writers import Writing
from threadwell.messages import Address, AddressKind

#: Why nobody asks any more.
MOOT = "No message waits for the answer."

_ADDRESS = "address"
_THREAD = "thread"
_MESSAGE = "message"
_WRITER = "writer"
_TEXT = "Several patients share this address. Who writes from it, and is written to?"
_MAY_WRITE = ("Patient/", "RelatedPerson/")


class Scope(NamedTuple):
    """What an answer holds for: an address, or of it one ``thread`` or one ``message``."""

    address: Address
    thread: Identity | None = None
    message: Identity | None = None

    @property
    def identity(self) -> Identity:
        """Of the Task."""
        value = address_key(self.address)
        for narrower in (self.thread, self.message):
            if narrower is not None:
                value = f"{value}|{narrower.system}|{narrower.value}"
        return Identity(codes.SHARED, value)


def question(scope: Scope, candidates: Sequence[str], since: int) -> Resource:
    """The open question; ``since`` is when the first message was sent that waits for it (µs)."""
    identity = scope.identity
    return {
        "resourceType": "Task",
        "identifier": [identity.as_json()],
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("review"),
        "description": _TEXT,
        "authoredOn": fhir_time(since),
        "reasonCode": codes.reason("shared-address"),
        "input": _inputs(scope, candidates),
    }


def asked_again(task: Resource, scope: Scope, candidates: Sequence[str], since: int) -> Resource:
    """A question that is there, as it is asked now; an answer to it is no longer given."""
    out = {**task, "status": "requested", "input": _inputs(scope, candidates)}
    out["authoredOn"] = fhir_time(since)
    for name in ("output", "businessStatus", "statusReason"):
        out.pop(name, None)
    return out


def still_asked(task: Resource, scope: Scope, candidates: Sequence[str], since: int) -> Resource:
    """An open question with whoever may write by now, and the first message that waits by now."""
    authored = min(task.get("authoredOn", fhir_time(since)), fhir_time(since))
    return {**task, "input": _inputs(scope, candidates), "authoredOn": authored}


def moot(task: Resource) -> Resource:
    """A question that nothing waits for any more."""
    return {**task, "status": "cancelled", "statusReason": {"text": MOOT}}


def is_moot(task: Resource) -> bool:
    """Whether it was closed because nothing waited for it."""
    why = (task.get("statusReason") or {}).get("text")
    return bool(task.get("status") == "cancelled" and why == MOOT)


def answered(task: Resource, persons: Iterable[str], by: Agent = NOBODY) -> Resource:
    """The Task with that answer, and who gave it; messages that have a place do not say so yet."""
    out = {
        **task,
        "status": "completed",
        "output": [
            {"type": {"text": _WRITER}, "valueReference": reference(one)}
            for one in sorted(set(persons))
        ],
    }
    out["output"] += answered_by(by)
    out.pop("statusReason", None)
    return out


def applied(task: Resource) -> Resource:
    """The Task with an answer that all messages go by."""
    return {**task, "businessStatus": {"coding": [codes.APPLIED], "text": _named(writers(task))}}


def is_applied(task: Resource) -> bool:
    """Whether all messages go by the answer that it has now."""
    there = (task.get("businessStatus") or {}).get("text")
    return bool(there == _named(writers(task)))


def was_applied(task: Resource) -> bool:
    """Whether messages have ever gone by an answer of it."""
    return bool((task.get("businessStatus") or {}).get("text"))


def writers(task: Resource) -> tuple[str, ...]:
    """Who writes, as a completed Task says, in order; nobody if it does not."""
    if task.get("status") != "completed":
        return ()
    named = (_reference(one) for one in task.get("output") or ())
    return tuple(sorted({one for one in named if one.startswith(_MAY_WRITE)}))


def candidates(task: Resource) -> tuple[str, ...]:
    """Who has the address, in order."""
    return tuple(
        _reference(one) for one in task.get("input") or () if _kind(one) == codes.CANDIDATE
    )


def asks_who_writes(task: Resource) -> bool:
    """Whether a Task is such a question, or an answer."""
    return scope_of(task) is not None


def scope_of(task: Resource) -> Scope | None:
    """What it is about; ``None`` for any other Task."""
    if not any(one.get("system") == codes.SHARED for one in task.get("identifier") or ()):
        return None
    inputs = task.get("input") or ()
    points = [one.get("valueContactPoint") or {} for one in inputs if _kind(one) == _ADDRESS]
    try:
        address = Address(AddressKind(points[0]["system"]), str(points[0]["value"]))
    except (IndexError, KeyError, ValueError):
        return None
    return Scope(address, _identity(inputs, _THREAD), _identity(inputs, _MESSAGE))


def writing(task: Resource) -> Writing | None:
    """The answer; ``None`` where there is none."""
    scope, persons = scope_of(task), writers(task)
    if scope is None or not persons:
        return None
    key = address_key(scope.address)
    return Writing(f"Task/{task['id']}", key, frozenset(persons), scope.thread, scope.message)


def _inputs(scope: Scope, candidates: Sequence[str]) -> list[dict[str, Any]]:
    point = {"system": str(scope.address.kind), "value": scope.address.value}
    out: list[dict[str, Any]] = [{"type": {"text": _ADDRESS}, "valueContactPoint": point}]
    for name, one in ((_THREAD, scope.thread), (_MESSAGE, scope.message)):
        if one is not None:
            out.append({"type": {"text": name}, "valueIdentifier": one.as_json()})
    out += [
        {"type": {"text": codes.CANDIDATE}, "valueReference": reference(one)} for one in candidates
    ]
    return out


def _identity(inputs: Iterable[Resource], name: str) -> Identity | None:
    for one in inputs:
        value = one.get("valueIdentifier") or {}
        if _kind(one) == name and "system" in value and "value" in value:
            return Identity(str(value["system"]), str(value["value"]))
    return None


def _kind(one: Resource) -> str:
    return str((one.get("type") or {}).get("text", ""))


def _reference(one: Resource) -> str:
    return str((one.get("valueReference") or {}).get("reference", ""))


def _named(persons: Iterable[str]) -> str:
    return ", ".join(persons)
