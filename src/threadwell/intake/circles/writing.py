"""A plan becomes writes: what is stored is kept where it is others', and what is over withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from threadwell.encounters.corrected import CORRECTED, corrected
from threadwell.encounters.merge import carried, is_live, merged, withdrawn
from threadwell.encounters.pattern import is_session
from threadwell.encounters.superseded import (
    ANSWERED,
    LATE,
    MERGED,
    POLICY,
    RESETTLED,
    TIMES,
    ZONE,
    provenance,
    provenance_id,
    taking_over,
)
from threadwell.encounters.todo import is_open, thread_of_todo
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.intake.circles.answers import applied
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.details import with_details
from threadwell.intake.circles.plan import Plan
from threadwell.intake.circles.succession import Former, heirs, inheritors
from threadwell.intake.commits.batch import Batch
from threadwell.intake.rulebook.events import of_session, of_todo
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Key, Stored


def write_plan(
    batch: Batch,
    project: str,
    circle: Circle,
    todo: Plan,
    settings: Settings,
    strayed: Mapping[Key, Stored],
    *,
    recutting: bool,
) -> None:
    """Add the plan's resources to the batch, but for the messages themselves.

    The circle then has them as they will be stored. ``strayed`` are resources of the plan that
    are not among those of the circle. What somebody has deleted is made anew, and what has lost its
    identifiers gets them back. With ``recutting`` it is the settings that have
    changed, and not the messages.
    """
    former = Former(circle)
    succession = heirs(todo, former)
    inheriting = inheritors(todo, circle)
    for key, resource in todo.resources.items():
        before = circle.stored.get(key) or strayed.get(key)
        stored = decode(before.body) if before and not before.deleted else None
        there = circle.came.get(key, stored)
        wanted = merged(there, resource, partial(former.spoke, key)) if there else resource
        for at, old in enumerate(succession.get(key, ())):
            anew = stored is None and not at
            spoke = partial(former.spoke, old)
            taken = carried(former.body(old), wanted, spoke, anew=anew)
            if taken != wanted:
                _tell_taking_over(batch, circle.stored[old], key)
            wanted = taken
        for at, left in enumerate(inheriting.get(key, ())):
            anew = stored is None and not at and key not in succession
            taken = carried(left.body, wanted, partial(frozenset, left.spoke), anew=anew)
            if taken != wanted:
                _tell_taking_over(batch, left.stored, key)
            wanted = taken
        if circle.details:
            wanted = with_details(key, wanted, circle.details)
        if stored is None or wanted != stored:
            circle.stored[key] = batch.write(key, wanted, before)
            if key.type == "Encounter" and is_session(resource):
                batch.sessions += stored is None
                batch.back += stored is not None and not is_live(stored)
                if rules := settings.rules:
                    for kept in of_session(project, key.id, wanted, stored, circle.key, rules):
                        batch.keep(kept)
            elif key.type == "Task":
                batch.reviews += _is_asked(wanted, stored)
        circle.live.add(key)
    _close_questions(batch, circle, todo)
    for key in todo.withdrawn:
        before = circle.stored[key]
        body = decode(before.body)
        circle.stored[key] = batch.write(key, withdrawn(body), before)
        circle.live.discard(key)
        if key.type != "Task":
            batch.superseded += 1
            reason = _why(circle, body, settings, recutting)
            why = Key("Provenance", provenance_id(key.type, key.id, before.version_id))
            batch.write(why, provenance(key.type, key.id, instant(batch.updated), reason))
    _write_todos(batch, project, circle, todo, settings, strayed)
    for correction in circle.corrections:
        batch.write(Key("Provenance", correction.id), corrected(correction, instant(batch.updated)))
        batch.corrected += len(correction.messages)
    for id_, task in circle.tasks.items():
        key = Key("Task", id_)
        circle.stored[key] = batch.write(key, task, circle.stored.get(key))
    circle.tasks.clear()
    circle.inherits.clear()
    circle.came.clear()
    circle.left.clear()
    circle.gone.clear()
    circle.merged = False
    circle.details.clear()
    circle.answered.clear()
    circle.corrections.clear()
    circle.resettled = False


def _write_todos(
    batch: Batch,
    project: str,
    circle: Circle,
    todo: Plan,
    settings: Settings,
    strayed: Mapping[Key, Stored],
) -> None:
    for key, task in todo.todos.items():
        before = circle.stored.get(key)
        stored = decode(before.body) if before else None
        if task != stored:
            circle.stored[key] = batch.write(key, task, before or strayed.get(key))
            circle.todos[key] = thread_of_todo(task) or ""
            if settings.rules and is_open(task) and _waits_anew(task, stored):
                for kept in of_todo(project, task, key.id, circle.key, settings.rules):
                    batch.keep(kept)


def _waits_anew(task: Resource, before: Resource | None) -> bool:
    """Whether another message waits than before, or one does again."""
    return before is None or not is_open(before) or before["authoredOn"] != task["authoredOn"]


def _close_questions(batch: Batch, circle: Circle, todo: Plan) -> None:
    """Mark the Tasks whose answer is on the messages, and those that the messages answer."""
    closed = dict(circle.answered)
    for session, task in circle.dismissed.items():
        if "subject" in todo.resources.get(session, {}) and task not in todo.resources:
            closed.setdefault(task, ())
    for task, patients in closed.items():
        before = circle.stored[task]
        circle.stored[task] = batch.write(task, applied(decode(before.body), patients), before)
        circle.live.discard(task)
    batch.answers += len(circle.answered)
    for session in [one for one, task in circle.dismissed.items() if task in closed]:
        del circle.dismissed[session]


def _tell_taking_over(batch: Batch, old: Stored, heir: Key) -> None:
    successor = f"{heir.type}/{heir.id}"
    version = f"{old.type}/{old.id}/_history/{old.version_id}"
    key = Key("Provenance", provenance_id(old.type, old.id, old.version_id, successor))
    batch.write(key, taking_over(successor, version, instant(batch.updated)))


def _is_asked(task: Resource, before: Resource | None) -> bool:
    return is_live(task) and (before is None or not is_live(before))


def _why(circle: Circle, body: Resource, settings: Settings, recutting: bool) -> str:
    """The reason why a resource of the circle is no longer so."""
    policy = str(body["identifier"][0]["value"]).partition("|")[0]
    if policy == settings.policy and recutting and settings.zone_change:
        return ZONE.format(settings.zone_change)
    if settings.correct_times and policy == settings.policy:
        return TIMES
    if recutting or policy != settings.policy:
        return POLICY
    if circle.merged:
        return MERGED
    if circle.resettled:
        return RESETTLED
    if circle.corrections:
        return CORRECTED
    return ANSWERED if circle.answered else LATE
