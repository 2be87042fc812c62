"""What a person has done to a session, as the Task that records it.

It carries the key of its circle, and is loaded with that. docs/adr/0010-acts.md tells why.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, as_reference
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.sessions import Kind

_WORDS = {
    Kind.OPEN: "A person has opened a session.",
    Kind.CLOSE: "A person has closed a session.",
    Kind.REOPEN: "A person has opened a closed session again.",
}
_CODES = {kind: f"{kind}-session" for kind in Kind}
_KINDS = {code: kind for kind, code in _CODES.items()}
#: ``Task.input.type.text`` of the message, thread or opening that tells which session is meant.
_MESSAGE, _THREAD, _OPENING = "message", "thread", "opening"


class Done(NamedTuple):
    """An act on a session of the circle of ``patients``; ``id`` is its Task's.

    ``at`` is when, in microseconds since 1970 UTC. The session has the message of the logical id
    ``message``, or was opened by the act ``opening``. An opening may be of a thread: its
    ``channel``, and the channel's own ``thread_id``; it is for those of the patients who are
    ``chosen``. ``session`` is the session encounter as it was then, by logical id. What is not
    told is ``""``.
    """

    id: str
    kind: Kind
    at: int
    patients: tuple[str, ...]
    by: Agent
    session: str = ""
    message: str = ""
    opening: str = ""
    channel: str = ""
    thread_id: str = ""
    chosen: tuple[str, ...] = ()
    why: str = ""


def act_id(name: str) -> str:
    """The logical id of the Task of an act of that name, which nothing else has."""
    return Identity(codes.ACT, name).id


def act_task(done: Done, name: str, circle: str) -> Resource:
    """The Task that records an act of that name, on a session of the circle of that key."""
    whom = done.chosen or done.patients
    out: Resource = {
        "resourceType": "Task",
        "identifier": [
            Identity(codes.ACT, name).as_json(),
            Identity(codes.CIRCLE, circle).as_secondary(),
        ],
        "status": "completed",
        "intent": "order",
        "code": codes.task_code(_CODES[done.kind]),
        "description": _WORDS[done.kind],
        "focus": reference(f"Encounter/{done.session}"),
        "authoredOn": fhir_time(done.at),
        "requester": as_reference(done.by),
        "input": _inputs(done),
    }
    if len(whom) == 1:
        out["for"] = reference(whom[0])
    if done.why:
        out["note"] = [{"text": done.why}]
    return out


def done_by(task: Resource) -> Done | None:
    """The act that a Task records; ``None`` if it records none, or one that was taken back."""
    codings = (task.get("code") or {}).get("coding") or ()
    kinds = [_KINDS.get(one.get("code")) for one in codings if one.get("system") == codes.TASK_CODE]
    kind = next(filter(None, kinds), None)
    if kind is None or task.get("status") != "completed":
        return None
    try:
        at = parse_fhir_time(str(task.get("authoredOn", "")))
    except ValueError:
        return None
    given = [(str((one.get("type") or {}).get("text", "")), one) for one in task.get("input") or ()]
    values = {name: _value(one) for name, one in given}
    thread: dict[str, Any] = next(
        (one.get("valueIdentifier") or {} for name, one in given if name == _THREAD), {}
    )
    asked = task.get("requester") or {}
    client = str((asked.get("identifier") or {}).get("value", ""))
    return Done(
        str(task["id"]),
        kind,
        at,
        tuple(_value(one) for name, one in given if name == codes.CANDIDATE),
        Agent(str(asked.get("display", "")), client, str(asked.get("reference", ""))),
        _id(str((task.get("focus") or {}).get("reference", ""))),
        _id(values.get(_MESSAGE, "")),
        _id(values.get(_OPENING, "")),
        str(thread.get("system", "")).removeprefix(codes.THREAD),
        str(thread.get("value", "")),
        tuple(_value(one) for name, one in given if name == codes.CHOSEN),
    )


def act_again(task: Resource, circle: str, patients: Iterable[str]) -> Resource:
    """The Task of an act in another circle, of that key and those patients."""
    inputs = [one for one in task.get("input") or () if one["type"].get("text") != codes.CANDIDATE]
    return {
        **in_circle(task, circle),
        "input": [*(_refers(codes.CANDIDATE, one) for one in patients), *inputs],
    }


def in_circle(task: Resource, circle: str) -> Resource:
    """The Task as one of the circle of that key."""
    others = [one for one in task["identifier"] if one.get("system") != codes.CIRCLE]
    return {**task, "identifier": [*others, Identity(codes.CIRCLE, circle).as_secondary()]}


def is_act(task: Resource) -> bool:
    """Whether a Task records an act, also one that was taken back."""
    return any(one.get("system") == codes.ACT for one in task.get("identifier") or ())


def _inputs(done: Done) -> list[dict[str, Any]]:
    out = [_refers(codes.CANDIDATE, patient) for patient in done.patients]
    out += [_refers(codes.CHOSEN, patient) for patient in done.chosen]
    if done.thread_id:
        thread = Identity(codes.THREAD + done.channel, done.thread_id).as_json()
        out.append({"type": {"text": _THREAD}, "valueIdentifier": thread})
    if done.message:
        out.append(_refers(_MESSAGE, f"Communication/{done.message}"))
    if done.opening:
        out.append(_refers(_OPENING, f"Task/{done.opening}"))
    return out


def _refers(kind: str, to: str) -> dict[str, Any]:
    return {"type": {"text": kind}, "valueReference": reference(to)}


def _value(given: dict[str, Any]) -> str:
    return str((given.get("valueReference") or {}).get("reference", ""))


def _id(name: str) -> str:
    return name.rpartition("/")[2]
