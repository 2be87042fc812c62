"""Which threads of a circle wait for an answer, as their Tasks have to tell it. Pure.

It follows from the messages, and from what people have said: so it is the same in whatever order
they have come.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence

from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.replacing import in_their_places, taken_back
from threadwell.encounters.todo import (
    handled_until,
    is_open,
    last_episode,
    todo_identity,
    todo_task,
    withdrawn_todo,
)
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.tracking import Tracking
from threadwell.sessions import Act, Kind
from threadwell.stores.contract import Key


def todos(
    circle: Circle,
    scopes: Iterable[str],
    links: Mapping[str, Link],
    tracking: Tracking | None,
    *,
    by_patient: bool,
) -> dict[Key, Resource]:
    """The Tasks of the threads in those scopes, as they are to be stored.

    ``links`` are those of messages, by identity, that are new or point elsewhere now.
    """
    if tracking is None and not circle.todos:
        return {}
    scopes = [*scopes]
    out: dict[Key, Resource] = {}
    if tracking is not None:
        wrong = taken_back(circle.messages.values())
        for scope in scopes:
            closed = _closings(circle.acting.get(scope, ()))
            for thread, messages in _threads(circle, scope, tracking.since, by_patient=by_patient):
                key = Key("Task", todo_identity(thread).id)
                standing = in_their_places(messages, wrong, links)
                if task := _todo(circle, key, thread, standing, closed, links, tracking):
                    out[key] = task
    for key, thread in circle.todos.items():
        if key not in out and not _is_there(circle, thread, by_patient=by_patient):
            out[key] = withdrawn_todo(decode(circle.stored[key].body))
    return out


def _threads(
    circle: Circle, scope: str, since: int, *, by_patient: bool
) -> Iterable[tuple[str, list[Placed]]]:
    messages, frozen = circle.in_order(scope)
    if frozen:
        messages = sorted((*messages, *frozen), key=lambda one: one.sent)
    if not by_patient:
        return [(scope, messages)]
    found: dict[str, list[Placed]] = {}
    for one in messages[bisect_left(messages, since, key=lambda one: one.sent.at) :]:
        found.setdefault(one.sent.thread, []).append(one)
    return found.items()


def _todo(
    circle: Circle,
    key: Key,
    thread: str,
    messages: Sequence[Placed],
    closed: list[int],
    links: Mapping[str, Link],
    tracking: Tracking,
) -> Resource | None:
    before = circle.stored.get(key)
    stored: Resource | None = decode(before.body) if before else None
    handled = handled_until(stored, before.updated) if stored and before else 0
    episode = last_episode(messages, tracking.since, closed, handled)
    if episode is None:
        return withdrawn_todo(stored) if stored and is_open(stored) else None
    last = links.get(episode.last.sent.id, episode.last.link)
    first = links.get(episode.first.sent.id, episode.first.link)
    if last is None or first is None:
        return None
    return todo_task(
        thread,
        circle.key,
        episode,
        stored or _predecessor(circle, messages),
        header=last.header,
        subject=last.subject,
        writer=first.sender,
        pool=tracking.pool,
        due=tracking.due(episode.first.sent.at),
    )


def _predecessor(circle: Circle, messages: Collection[Placed]) -> Resource | None:
    """The open Task of a thread that is none any more, of which these messages were."""
    if not (circle.todos or circle.left):
        return None
    children = {f"Communication/{one.child}" for one in messages}
    bodies = [decode(circle.stored[key].body) for key in circle.todos]
    for body in (*bodies, *circle.left):
        waits = (body.get("reasonReference") or {}).get("reference")
        if is_open(body) and waits in children:
            return {name: value for name, value in body.items() if name not in ("id", "meta")}
    return None


def _closings(acts: Iterable[Act]) -> list[int]:
    """When somebody has closed a session that nobody has opened again since."""
    out: list[int] = []
    for act in acts:
        if act.kind is Kind.CLOSE:
            out.append(act.at)
        elif act.kind is Kind.REOPEN and out:
            out.pop()
    return out


def _is_there(circle: Circle, thread: str, *, by_patient: bool) -> bool:
    if by_patient:
        return any(one.sent.thread == thread for one in circle.messages.values())
    return bool(circle.scopes.get(thread) or circle.frozen.get(thread))
