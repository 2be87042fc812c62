"""A person says whether a held message is one that is there already, come by another way."""

from __future__ import annotations

from functools import partial
from typing import Any

from threadwell.encounters.child_ids import own_of, with_twin
from threadwell.encounters.corrected import Agent, answered_by
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.commits.marks import circle_mark
from threadwell.intake.held.listing import TWIN, is_held, is_waiting, quarantined
from threadwell.intake.held.release import Wanted
from threadwell.intake.importing import replay, revise
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.stores.contract import Key, Stored

#: What is said, as the Task records it.
SAME, ANOTHER = "same", "another"


class BadSameness(ValueError):
    """It cannot be said of that Task; the message says why, without any content."""


async def say_whether_same(seat: Seat, task: str, *, same: bool) -> Report:
    """Say whether the held message of a Task (``Task/…``) is the one that it is suspected to be.

    If it is the ``same``, that one gets its id as a second identifier, and what it lacked; else it
    has its place as a message of its own, unless it may be a third one: then it waits for that. It
    holds for good, whatever is imported again. ``Report.replayed`` is 1 where it waits no longer.
    Raises ``BadSameness`` where it waits for nothing of the kind, or the other message is there no
    more, and ``Contended`` if others keep writing.
    """
    make = partial(_said, task=task, same=same, by=seat.by)
    await revise(seat, make)
    return await replay(seat, wanted=Wanted(tasks={as_key(task).id}, due=False))


async def _said(run: Run, *, task: str, same: bool, by: Agent) -> Batch:
    batch = run.begin()
    key = as_key(task)
    before = (await run.current([key])).get(key) if key.type == "Task" else None
    if before is None or not is_held(before) or not is_waiting(before):
        raise BadSameness(f"{task} holds no message that waits")
    body = decode(before.body)
    held = quarantined(body)
    message = await run.quarantine.message_of(body)
    if held.reason != TWIN or message is None:
        raise BadSameness(f"{task} is not suspected to be another message")
    if same:
        await _same(run, batch, held.twin, message)
    else:
        await run.twins.say_another(batch, message, held.twin)
    said: dict[str, Any] = {"type": {"text": SAME}, "valueBoolean": same}
    batch.write(key, {**body, "output": [said, *answered_by(by)]}, before)
    return run.marked(batch)


async def _same(run: Run, batch: Batch, twin: str, message: Message) -> None:
    key = as_key(twin)
    circle = await _circle(run, key)
    if circle:
        # The marker is read before what it stands for.
        await run.marks.read([circle_mark(circle)])
        batch.circles.add(circle)
    there = await _live(run, key)
    body: Resource = decode(there.body) if there else {}
    own = own_of(body) if there else None
    if there is None or own is None or own.old or own.apart:
        raise BadSameness(f"{twin} is no longer as it was: say that it is another message")
    also = with_twin(body, message.channel, message.external_id, message.source)
    batch.write(key, also, there)
    run.twins.say_same(batch, message, own.channel, own.external_id, key.id)


async def _circle(run: Run, child: Key) -> str:
    there = await _live(run, child)
    parent = (decode(there.body).get("partOf") or [{}])[0].get("reference", "") if there else ""
    header = await _live(run, as_key(parent)) if parent else None
    return circle_of(decode(header.body)) if header else ""


async def _live(run: Run, key: Key) -> Stored | None:
    stored = (await run.current([key])).get(key)
    return None if stored is None or stored.deleted else stored
