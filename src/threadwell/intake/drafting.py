"""Plans of circles become writes of a batch, but for the messages that are there already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from threadwell.encounters.placed import Link, Placed
from threadwell.fhir.json import decode
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.plan import Plan
from threadwell.intake.circles.writing import write_plan
from threadwell.intake.commits.batch import Batch
from threadwell.intake.copies.children import write_child
from threadwell.intake.copies.recording import Recorded
from threadwell.intake.links import circle_of
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Held
from threadwell.intake.rulebook.events import of_message
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Key, Stored

Current = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]


class TooNarrow(Exception):
    """What the plan of a circle makes was there before its tail: it has to be read whole."""


async def write_made(batch: Batch, people: AddressBook, current: Current) -> None:
    """Add the people whom a run had to make, and who are not there."""
    there = await current(list(people.made))
    for key, resource in people.made.items():
        stands = there.get(key)
        if stands is None or stands.deleted:
            stands = batch.write(key, resource, stands)
        people.wrote(stands, resource)
    people.made.clear()


async def were_before(plans: Iterable[tuple[Circle, Plan]], current: Current) -> bool:
    """Whether anything that plans make anew was there before what is at hand of circles."""
    new = [
        key
        for circle, todo in plans
        if not circle.is_whole
        for key in todo.resources
        if key not in circle.stored
    ]
    return bool(new) and bool(await current(new))


async def strayed_of(plans: Iterable[tuple[Circle, Plan]], current: Current) -> dict[Key, Stored]:
    """What somebody has deleted, or taken from its circle, of what the plans make."""
    new = [
        key
        for circle, todo in plans
        for key in (*todo.resources, *todo.todos)
        if key not in circle.stored
    ]
    there = await current(new)
    return {
        key: one for key, one in there.items() if one.deleted or not circle_of(decode(one.body))
    }


def write_plans(
    batch: Batch,
    project: str,
    plans: Iterable[tuple[Circle, Plan]],
    recorded: Recorded,
    strayed: Mapping[Key, Stored],
    settings: Settings,
    *,
    recutting: bool,
) -> tuple[dict[str, Held], list[tuple[Circle, Placed, Link]]]:
    """The messages that a lock keeps out, by id, and those whose place in the record changes.

    ``strayed`` are resources of the plans that are not among those of the circles: somebody has
    deleted them, or taken their identifiers away.
    """
    held: dict[str, Held] = {}
    rules = settings.rules
    relinked: list[tuple[Circle, Placed, Link]] = []
    for circle, todo in plans:
        for one in todo.late:
            if one.message:
                held[one.child] = Held(replace(one.message, apart=""), "locked-session")
        before = len(batch.writes)
        write_plan(batch, project, circle, todo, settings, strayed, recutting=recutting)
        if any(key.type == "Communication" and key in strayed for key in todo.resources):
            # Its messages could not be found without it.
            batch.revived[circle.key] = circle.patients
        for one, link in todo.links:
            if one.message is None:
                relinked.append((circle, one, link))
            else:
                write_child(batch, one, one.message, link, recorded.former)
                told = None if one.retracted else rules
                for kept in of_message(project, one, circle.key, told) if told else ():
                    batch.keep(kept)
        if len(batch.writes) > before or todo.links:
            batch.circles.add(circle.key)
    return held, relinked
