"""A person answers a review: whom a session is about, or who writes at a shared address."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.encounters.corrected import Agent, answered_by
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake.circles.answers import answered, candidates, find_answers
from threadwell.intake.commits.counts import Report
from threadwell.intake.importing import settle_answers
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.patience import Patience
from threadwell.intake.seat import Seat
from threadwell.intake.settling import BadAnswer, answer_writers, asks_who_writes
from threadwell.stores.contract import ChangeSet, Conflict, Key, Store, Stored, StoreError, Write


async def answer_review(
    seat: Seat, task: str, patients: Sequence[str], *, holds_for: str = "address"
) -> Report:
    """Answer the review Task (``Task/…`` or its id) with one or more ``Patient/…``.

    The answer counts for those messages of the session that name nobody, as if they named these
    patients: at once, and whatever comes later. A question may be answered again, if the answer
    was wrong. Where the question is who writes at a shared address, see ``answer_writers``: then
    ``task`` may be a message, too, and a ``RelatedPerson/…`` may be named. Who answers stands on
    the Task where it is a person or a client that can be told. Raises ``BadAnswer``
    where the Task asks no such question, or not about these patients, and ``StoreError`` if others
    keep writing to it.
    """
    store, project = seat.store, seat.project
    asked = task if "/" in task else f"Task/{task}"
    key = as_key(asked)
    there = await store.read(project, *key) if key.type in ("Task", "Communication") else None
    if there is not None and not there.deleted and asks_who_writes(decode(there.body)):
        return await answer_writers(seat, asked, patients, holds_for=holds_for)
    if holds_for != "address":
        raise BadAnswer(f"{asked} does not ask who writes at an address that several share")
    chosen = tuple(sorted({f"Patient/{one.removeprefix('Patient/')}" for one in patients}))
    if not chosen:
        raise BadAnswer("an answer names at least one patient")
    patience = Patience()
    while await patience.turn():
        change = await _answered(store, project, key, chosen, seat.by, seat.clock())
        try:
            await store.commit(project, ChangeSet((change,)))
        except Conflict:
            continue
        return await settle_answers(seat)
    raise StoreError(f"others keep writing to Task/{key.id}; answer again when they are done")


async def dismiss_review(seat: Seat, task: str) -> None:
    """Close the review Task (``Task/…``) that asks whom a session is about, without an answer.

    It is asked again only when a later message gives reason to. Raises ``BadAnswer`` where it asks
    no such question, or not any more, and ``StoreError`` if others keep writing to it.
    """
    key = as_key(task)
    patience = Patience()
    while await patience.turn():
        now = seat.clock()
        before, body = await _asked(seat.store, seat.project, key)
        if not is_live(body):
            raise BadAnswer(f"{task} is {body['status']}: nobody asks any more")
        closed = {**body, "status": "completed"}
        if outputs := [*(body.get("output") or ()), *answered_by(seat.by)]:
            closed["output"] = outputs
        try:
            await seat.store.commit(
                seat.project, ChangeSet((_written(key, closed, before, seat.by, now),))
            )
        except Conflict:
            continue
        return
    raise StoreError(f"others keep writing to {task}; close it when they are done")


async def _asked(store: Store, project: str, key: Key) -> tuple[Stored, Resource]:
    """The Task that asks whom a session is about; raises ``BadAnswer``."""
    name = f"{key.type}/{key.id}"
    before = await store.read(project, *key)
    if before is None or before.deleted:
        raise BadAnswer(f"there is no {name}")
    body = decode(before.body)
    if key.type != "Task" or not circle_of(body) or not candidates(body):
        raise BadAnswer(f"{name} does not ask whom a session is about")
    return before, body


def _written(key: Key, task: Resource, before: Stored, by: Agent, now: int) -> Write:
    resource, written = stamp(task, key.id, new_id(now), now)
    version = resource["meta"]["versionId"]
    return Write(*key, version, now, resource, written, before, by.author)


async def _answered(
    store: Store, project: str, key: Key, patients: tuple[str, ...], by: Agent, now: int
) -> Write:
    """The version of the Task with the answer."""
    name = f"{key.type}/{key.id}"
    before, body = await _asked(store, project, key)
    asked = candidates(body)
    if not is_live(body) and body["status"] != "completed":
        raise BadAnswer(f"{name} is {body['status']}: nobody asks any more")
    if others := [patient for patient in patients if patient not in asked]:
        raise BadAnswer(f"{name} asks about {', '.join(asked)}, not about {', '.join(others)}")
    wanted = answered(body, patients)
    if key not in await find_answers(store, project, {key: wanted}):
        raise BadAnswer(f"the session that {name} asks about has been billed, or is superseded")
    wanted["output"] += answered_by(by)
    return _written(key, wanted, before, by, now)
