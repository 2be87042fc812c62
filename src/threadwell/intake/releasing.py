"""A person says what becomes of held messages: dismissed, held again, or tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from threadwell.encounters.corrected import Agent
from threadwell.fhir.json import decode
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.held.hold import NO_MESSAGE
from threadwell.intake.held.listing import is_held, is_waiting, quarantined
from threadwell.intake.held.release import Wanted
from threadwell.intake.importing import replay, revise
from threadwell.intake.links import as_key
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Key, Store, Stored


class BadRelease(ValueError):
    """What is asked cannot be done with a held message; it says why, without any content."""


async def dismiss_held(seat: Seat, tasks: Sequence[str]) -> Report:
    """Let held messages (``Task/…``) wait no longer: they will never have a place.

    Their bytes stay, later imports count them as known, and ``hold_again`` takes it back. Raises
    ``BadRelease`` where one of them is not held, having dismissed none, and ``Contended`` if others
    keep writing.
    """
    make = partial(_dismissed, tasks=tasks, by=seat.by)
    return await revise(seat, make)


async def hold_again(seat: Seat, tasks: Sequence[str]) -> Report:
    """Let dismissed messages (``Task/…``) wait as before.

    Raises ``BadRelease`` where one of them is not dismissed, and ``Contended``.
    """
    make = partial(_held_again, tasks=tasks)
    return await revise(seat, make)


async def release_held(seat: Seat, tasks: Sequence[str], *, strangers: bool = False) -> Report:
    """Give held messages (``Task/…``) their place, as far as they can have one now.

    ``Report.replayed`` counts those that have it; the others wait as before. With ``strangers`` a
    Patient is made of each address that nobody is known to have. Raises ``BadRelease`` where one
    of them is not held, or is no message that could have a place, and ``Contended``.
    """
    only = [as_key(one) for one in tasks]
    for key in only:
        task = decode((await _read(seat.store, seat.project, key)).body)
        if quarantined(task).reason in NO_MESSAGE:
            raise BadRelease(f"{key.type}/{key.id} could not be read as a message")
    if strangers:
        seat = replace(seat, settings=replace(seat.settings, unknown="patient"))
    wanted = Wanted(tasks={key.id for key in only}, due=False)
    return await replay(seat, wanted=wanted)


async def _read(store: Store, project: str, key: Key) -> Stored:
    found = await store.read(project, *key) if key.type == "Task" else None
    if found is None or not is_held(found) or not is_waiting(found):
        raise BadRelease(f"{key.type}/{key.id} holds no message that waits")
    return found


async def _dismissed(run: Run, *, tasks: Sequence[str], by: Agent) -> Batch:
    batch = run.begin()
    for key in map(as_key, tasks):
        if key.type != "Task" or not await run.quarantine.dismiss(batch, key.id, by):
            raise BadRelease(f"{key.type}/{key.id} holds no message that waits")
    await run.quarantine.ask_no_longer(batch)
    return run.marked(batch)


async def _held_again(run: Run, *, tasks: Sequence[str]) -> Batch:
    batch = run.begin()
    found = await run.current([as_key(one) for one in tasks])
    # Who shares an address has to be known before it is asked who writes there.
    there_are = (decode(one.body) for one in found.values() if is_held(one))
    await run.people.resolve(one for task in there_are for one in quarantined(task).shared)
    for key in map(as_key, tasks):
        there = found.get(key)
        if key.type != "Task" or there is None or not await run.quarantine.again(batch, there):
            raise BadRelease(f"{key.type}/{key.id} is no message that was dismissed")
    return run.marked(batch)
