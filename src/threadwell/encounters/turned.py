"""What people do to a thread: close and open it, and let others join or leave, each as a Task.

It names the thread by a message of it, and what holds of a header follows from the Tasks of its
thread in the order of time. docs/threads.md tells what that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, as_reference
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.placed import Placed
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.resource import Resource


class Turning(StrEnum):
    """What is done; each is a code of ``codes.TASK_CODE``."""

    CLOSE = "close-thread"
    REOPEN = "reopen-thread"
    ADD = "add-participant"
    REMOVE = "remove-participant"


_WORDS = {
    Turning.CLOSE: "A person has closed a thread.",
    Turning.REOPEN: "A person has opened a closed thread again.",
    Turning.ADD: "A person has let somebody join a thread.",
    Turning.REMOVE: "A person has taken somebody out of a thread.",
}
_MESSAGE, _PARTICIPANT, _SINCE = "message", "participant", "since"


class Turned(NamedTuple):
    """One of these acts; ``id`` is its Task's.

    ``at`` is when, in microseconds since 1970 UTC. The thread has the message of the logical id
    ``message``; ``header`` is its header as it was then. ``who`` joins or leaves.
    """

    id: str
    kind: Turning
    at: int
    by: Agent
    header: str
    message: str
    who: str = ""
    why: str = ""


class Membership(NamedTuple):
    """Since when somebody takes part in a thread without having written, or no longer does."""

    who: str
    since: int
    until: int = 0


def turned_task(turned: Turned, name: str, circle: str) -> Resource:
    """The Task that records an act of that name, on a thread of the circle of that key."""
    inputs = [_refers(_MESSAGE, f"Communication/{turned.message}")]
    if turned.who:
        inputs.append(_refers(_PARTICIPANT, turned.who))
    out: Resource = {
        "resourceType": "Task",
        "identifier": [
            Identity(codes.ACT, name).as_json(),
            Identity(codes.CIRCLE, circle).as_secondary(),
        ],
        "status": "completed",
        "intent": "order",
        "code": codes.task_code(turned.kind),
        "description": _WORDS[turned.kind],
        "focus": reference(f"Communication/{turned.header}"),
        "authoredOn": fhir_time(turned.at),
        "requester": as_reference(turned.by),
        "input": inputs,
    }
    return out | ({"note": [{"text": turned.why}]} if turned.why else {})


def turned_by(task: Resource) -> Turned | None:
    """The act that a Task records; ``None`` if it records none, or one that was taken back."""
    codings = (task.get("code") or {}).get("coding") or ()
    given = {one.get("code") for one in codings if one.get("system") == codes.TASK_CODE}
    kind = next((kind for kind in Turning if kind in given), None)
    if kind is None or task.get("status") != "completed":
        return None
    try:
        at = parse_fhir_time(str(task.get("authoredOn", "")))
    except ValueError:
        return None
    values = {
        str((one.get("type") or {}).get("text", "")): _value(one) for one in task.get("input") or ()
    }
    asked = task.get("requester") or {}
    return Turned(
        str(task["id"]),
        kind,
        at,
        Agent(str(asked.get("display", "")), reference=str(asked.get("reference", ""))),
        str((task.get("focus") or {}).get("reference", "")).rpartition("/")[2],
        values.get(_MESSAGE, "").rpartition("/")[2],
        values.get(_PARTICIPANT, ""),
    )


def by_thread(acts: Iterable[Turned], threads: Mapping[str, str]) -> dict[str, tuple[Turned, ...]]:
    """The acts of each thread in the order of time; ``threads`` are those of children, by id."""
    out: dict[str, list[Turned]] = {}
    for one in sorted(acts, key=lambda each: (each.at, each.id)):
        if one.message in threads:
            out.setdefault(threads[one.message], []).append(one)
    return {thread: tuple(some) for thread, some in out.items()}


def is_closed(acts: Sequence[Turned], messages: Sequence[Placed]) -> bool:
    """Whether a person has closed the header of those messages, and nobody wrote since."""
    here = {one.child for one in messages}
    mine = [
        one for one in acts if one.kind in (Turning.CLOSE, Turning.REOPEN) and one.message in here
    ]
    if not mine or mine[-1].kind is Turning.REOPEN:
        return False
    return all(one.sent.at <= mine[-1].at for one in messages)


def reopened(acts: Iterable[Turned]) -> int:
    """When a person has opened one of those threads again last, 0 for never."""
    return max((one.at for one in acts if one.kind is Turning.REOPEN), default=0)


def memberships(acts: Sequence[Turned], messages: Sequence[Placed]) -> dict[str, Membership]:
    """Who has joined or left the thread, by the header of those messages.

    What was done while the thread was at an earlier header holds for this one, too; what was done
    later, when it had another one, leaves this as it was.
    """
    here = {one.child for one in messages}
    out: dict[str, Membership] = {}
    for one in acts:
        if one.who and (one.message in here or one.at < messages[0].sent.at):
            before = out.get(one.who)
            if one.kind is Turning.ADD:
                out[one.who] = Membership(one.who, one.at)
            else:
                since = before.since if before and not before.until else 0
                out[one.who] = Membership(one.who, since, one.at)
    return out


def left(header: Resource) -> list[Membership]:
    """Who has been taken out of the thread of a header, and when."""
    out = []
    for one in header.get("extension") or ():
        if one.get("url") == codes.EXT_REMOVED:
            parts = {part.get("url"): part for part in one.get("extension") or ()}
            since = str(parts.get(_SINCE, {}).get("valueDateTime", ""))
            who = _value(parts.get(_PARTICIPANT, {}))
            if who and since:
                out.append(Membership(who, 0, parse_fhir_time(since)))
    return out


def removed_from(header: Resource) -> frozenset[str]:
    """The same, by name alone."""
    return frozenset(one.who for one in left(header))


def as_removed(some: Iterable[Membership]) -> list[dict[str, Any]]:
    """The extensions of a header that tell who has been taken out of its thread, and when."""
    return [
        {
            "url": codes.EXT_REMOVED,
            "extension": [
                {"url": _PARTICIPANT, "valueReference": reference(one.who)},
                {"url": _SINCE, "valueDateTime": fhir_time(one.until)},
            ],
        }
        for one in sorted(some)
    ]


def _refers(kind: str, to: str) -> dict[str, Any]:
    return {"type": {"text": kind}, "valueReference": reference(to)}


def _value(given: Mapping[str, Any]) -> str:
    return str((given.get("valueReference") or {}).get("reference", ""))
