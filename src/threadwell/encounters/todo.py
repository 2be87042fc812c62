"""The Task of a thread in which a message waits for an answer, or waited. Pure.

A thread has at most one. Which message waits follows from the messages alone; who takes care of it
is for people to say, and is kept. docs/threads-at-work.md tells what each element means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.placed import Placed
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.resource import Resource

#: Of a Task that is open: what people may have made of it stays.
OPEN = frozenset(("requested", "received", "accepted", "in-progress", "ready", "on-hold", "draft"))

#: ``Task.businessStatus`` of a Task that is over, by what has ended it.
ANSWERED, CLOSED, DISMISSED, WITHDRAWN = "answered", "closed", "dismissed", "withdrawn"
#: ``Task.businessStatus`` of one that is open, and of which somebody was reminded.
REMINDED = "reminded"
_STATES = {
    REMINDED: "Waits too long",
    ANSWERED: "Answered",
    CLOSED: "Session or thread closed",
    DISMISSED: "Needs no answer",
    WITHDRAWN: "No longer a thread",
}
_DESCRIPTION = "A message waits for an answer."
_ANSWER = "answer"
#: What a Task has for one run of messages, and not for the next.
_OF_EPISODE = ("owner", "businessStatus", "statusReason", "output", "executionPeriod", "priority")
#: What follows from the messages, and is written anew wherever they change.
_OURS = (
    *("resourceType", "identifier", "intent", "code", "description", "focus", "for"),
    *("requester", "authoredOn", "reasonReference"),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """Who may take care of what nobody has: a coding of ``Task.performerType``."""

    system: str
    code: str
    display: str = ""

    def as_json(self) -> dict[str, Any]:
        """The CodeableConcept."""
        coding = {"system": self.system, "code": self.code}
        return {"coding": [coding | ({"display": self.display} if self.display else {})]}


FRONT_DESK = Pool(codes.POOL, "front-desk", "Front desk")


class Episode(NamedTuple):
    """Messages of the patient's side that wait, or waited, for one answer.

    They are those from ``first`` to ``last``. ``over`` is when that ended, in microseconds since
    1970 UTC, ``None`` while they wait: with the ``answer``, or as somebody has ``closed`` the
    session; where it is neither, somebody has said that they need none. Whatever was before them
    was over by ``after``.
    """

    first: Placed
    last: Placed
    after: int
    over: int | None = None
    answer: Placed | None = None
    closed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether they still wait."""
        return self.over is None


def last_episode(
    messages: Sequence[Placed], since: int, closed: Sequence[int] = (), handled: int = 0
) -> Episode | None:
    """The last one of a thread, ``None`` where nothing has waited since that time.

    ``messages`` are those of the thread in the order of time. Whatever was written before a time at
    which somebody has ``closed`` the session, or up to which all is ``handled``, waits no more.
    """
    first = last = answer = None
    endings = sorted({*closed, handled})
    after = 0
    for one in reversed(messages):
        at = one.sent.at
        if at < since:
            break
        if one.quiet or one.retracted:
            continue
        if not one.sent.inbound:
            if last is not None:
                after = at
                break
            answer = one
            continue
        if first is not None and any(at <= ending < first.sent.at for ending in endings):
            break
        first, last = one, last or one
    if first is None or last is None:
        return None
    after = max(after, *(ending for ending in endings if ending < first.sent.at), 0)
    over = min((ending for ending in endings if ending >= last.sent.at), default=None)
    if answer is not None and (over is None or answer.sent.at <= over):
        return Episode(first, last, after, answer.sent.at, answer)
    return Episode(first, last, after, over, closed=over in closed)


def todo_identity(thread: str) -> Identity:
    """Of the Task of a thread, by the key of that."""
    return Identity(codes.TODO, thread)


def thread_of_todo(task: Resource) -> str | None:
    """The key of the thread whose Task it is; ``None`` for any other Task."""
    for one in task.get("identifier") or ():
        if one.get("system") == codes.TODO:
            return str(one.get("value", ""))
    return None


def is_open(task: Resource) -> bool:
    """Whether a Task is one that somebody still has to take care of."""
    return task.get("status") in OPEN


def handled_until(task: Resource, updated: int) -> int:
    """Up to when whatever was written in the thread needs no answer, as people have said.

    In microseconds since 1970 UTC, 0 where nobody has. Whoever has ended the Task over FHIR has
    said it when its version was ``updated``, in milliseconds.
    """
    said = 0
    for one in task.get("extension") or ():
        if one.get("url") == codes.EXT_HANDLED:
            said = max(said, parse_fhir_time(str(one.get("valueDateTime", ""))))
    if not is_open(task) and not _ended(task):
        said = max(said, updated * 1000)
    return said


def handled(task: Resource, at: int) -> Resource:
    """A Task that somebody has ended: what was written up to that time needs no answer."""
    others = [one for one in task.get("extension") or () if one.get("url") != codes.EXT_HANDLED]
    start = (task.get("executionPeriod") or {}).get("start") or task.get("authoredOn")
    period = {"start": start} if start else {}
    return {
        **task,
        "status": "completed" if is_open(task) else task["status"],
        "businessStatus": _business_status(DISMISSED),
        "executionPeriod": {**period, "end": fhir_time(at)},
        "extension": [*others, {"url": codes.EXT_HANDLED, "valueDateTime": fhir_time(at)}],
    }


def reminded(task: Resource) -> Resource:
    """A Task of which somebody is to be reminded: it waits too long."""
    return {**task, "businessStatus": _business_status(REMINDED)}


def withdrawn_todo(task: Resource) -> Resource:
    """The Task of what is no thread any more: its messages are in others."""
    if _ended(task) == WITHDRAWN:
        return task
    return {
        **task,
        "status": "entered-in-error",
        "businessStatus": _business_status(WITHDRAWN),
    }


def todo_task(
    thread: str,
    circle: str,
    episode: Episode,
    stored: Resource | None,
    *,
    header: str,
    subject: str,
    writer: str,
    pool: Pool,
    due: int,
) -> Resource:
    """The Task of a thread as it has to be, over what is ``stored`` of it, or of its predecessor.

    ``header`` is the logical id of the thread header that has the last message; ``subject`` and
    ``writer`` are references, ``""`` where nobody is known. ``due`` is when an answer is due, in
    microseconds since 1970 UTC.
    """
    identity = todo_identity(thread)
    began = fhir_time(episode.first.sent.at)
    out: Resource = {
        "resourceType": "Task",
        "identifier": [
            identity.as_json(),
            Identity(codes.CIRCLE, circle).as_secondary(),
        ],
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("respond"),
        "description": _DESCRIPTION,
        "focus": reference(f"Communication/{header}"),
        "authoredOn": began,
        "performerType": [pool.as_json()],
        "reasonReference": reference(f"Communication/{episode.first.child}"),
        "restriction": {"period": {"start": began, "end": fhir_time(due)}},
    }
    if subject:
        out["for"] = reference(subject)
    if writer:
        out["requester"] = reference(writer)
    if stored is not None:
        same = _since(stored) >= episode.after and (is_open(stored) or not episode.is_open)
        out = _over(stored, out, same=same)
    return out if episode.over is None else _over_at(out, episode, episode.over)


def _since(task: Resource) -> int:
    """Since when the messages of a Task wait, or waited."""
    try:
        return parse_fhir_time(str(task.get("authoredOn", "")))
    except ValueError:
        return 0


def _over(stored: Resource, out: Resource, *, same: bool) -> Resource:
    """What the messages decide, over what people have made of it, where that counts still."""
    gone = set(_OURS)
    if not same:
        gone |= {*_OF_EPISODE, "status", "performerType", "restriction"}
    kept = {name: value for name, value in stored.items() if name not in gone}
    if stored.get("authoredOn") != out["authoredOn"]:
        kept.pop("restriction", None)
    if same and is_open(stored):
        # An answer was taken back, perhaps: what it had ended goes on.
        for name in ("businessStatus", "output", "executionPeriod"):
            if _ended(stored):
                kept.pop(name, None)
    return {**out, **kept}


def _over_at(task: Resource, episode: Episode, at: int) -> Resource:
    """The Task of messages that wait no more."""
    if episode.answer is None and not episode.closed:
        return task if _ended(task) == DISMISSED else handled(task, at)
    state = CLOSED if episode.answer is None else ANSWERED
    out = {
        **task,
        "status": "completed",
        "businessStatus": _business_status(state),
        "executionPeriod": {
            "start": fhir_time(episode.first.sent.at),
            "end": fhir_time(at),
        },
    }
    out.pop("output", None)
    if episode.answer is not None:
        answer = reference(f"Communication/{episode.answer.child}")
        out["output"] = [{"type": {"text": _ANSWER}, "valueReference": answer}]
    return out


def _ended(task: Resource) -> str:
    """What has ended a Task, by its business status; ``""`` where nothing of ours has."""
    for one in (task.get("businessStatus") or {}).get("coding") or ():
        if one.get("system") == codes.TODO_STATE and one.get("code") != REMINDED:
            return str(one.get("code", ""))
    return ""


def _business_status(state: str) -> dict[str, Any]:
    return {
        "coding": [{"system": codes.TODO_STATE, "code": state, "display": _STATES[state]}],
    }
