"""What people have said of who writes at shared addresses, as batches of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from threadwell.encounters.corrected import Agent
from threadwell.fhir.json import decode
from threadwell.intake.circles.rules import Rules
from threadwell.intake.commits.batch import Batch
from threadwell.intake.copies.merging import merge_circles
from threadwell.intake.copies.moving import move_messages
from threadwell.intake.copies.recording import Recorded
from threadwell.intake.held.questions import Said, said_of_users
from threadwell.intake.people.question import writers
from threadwell.intake.people.replaced import hand_over
from threadwell.intake.people.scopes import scopes_of
from threadwell.intake.people.writers import where_it_is
from threadwell.intake.receipts.following import are_gone, follow_taken_back
from threadwell.intake.run import Run


async def say(run: Run, said: Sequence[Said], by: Agent) -> Batch:
    """The batch that writes what ``by`` says; whoever has the addresses has to be known."""
    batch = run.begin()
    await run.questions.answer(batch, said, by)
    return run.marked(batch)


async def take_answers(run: Run) -> Batch:
    """The batch that takes the answers which held messages were closed with, as such.

    Their messages wait again, until the answer lets them in.
    """
    batch = run.begin()
    said = [one for task in run.quarantine.answered for one in await _said_in(run, task)]
    await run.questions.answer(batch, said)
    await run.quarantine.reopen(batch)
    return run.marked(batch)


async def take_over(run: Run, *, held: Iterable[str], asked: Iterable[str]) -> Batch:
    """The batch that takes over what people have done to Tasks over FHIR, given by their ids.

    They are those of messages that are or were ``held``, and those in which is ``asked``, or said,
    who writes.
    """
    batch = run.begin()
    await run.quarantine.take_over(batch, held)
    await run.questions.take_over(batch, asked)
    await run.quarantine.ask_no_longer(batch)
    return run.marked(batch)


async def move(run: Run, *, circles: Mapping[str, tuple[str, ...]], addresses: set[str]) -> Batch:
    """The batch that moves messages of circles, as is said now of those address keys."""
    batch = run.begin()
    there = await run.circles(circles)

    async def change(rules: Rules) -> Recorded:
        return await move_messages(there.values(), addresses, rules, run)

    return await run.bring_up(batch, circles, change)


async def hand(run: Run, *, old: str, new: str) -> Batch:
    """The batch by which a patient has what the one had whom they replace."""
    batch = run.begin()
    await hand_over(run.store, run.project, batch, old, new, run.people.settings.country)
    return run.marked(batch)


async def merge(
    run: Run, *, circles: Mapping[str, tuple[str, ...]], merged: Mapping[str, str]
) -> Batch:
    """The batch that moves everything of circles whose patients have been merged."""
    batch = run.begin()
    there = await run.circles(circles)

    async def change(rules: Rules) -> Recorded:
        return await merge_circles(there.values(), merged, rules, run)

    return await run.bring_up(batch, circles, change)


async def mark(run: Run, *, tasks: Iterable[str]) -> Batch:
    """The batch that marks answers (their Tasks' ids) as those that all messages go by."""
    batch = run.begin()
    batch.answers += await run.questions.mark(batch, tasks)
    return run.marked(batch)


async def follow(run: Run, *, children: Iterable[str]) -> Batch:
    """The batch in which nobody has to read what others have taken back, by logical ids."""
    batch = run.begin()
    await follow_taken_back(batch, await are_gone(children, run.current), run.store, run.project)
    return run.marked(batch)


async def _said_in(run: Run, task: str) -> list[Said]:
    """What the answer says with which somebody has closed the Task of a held message."""
    body = decode(run.quarantine.answered[task].body)
    message = await run.quarantine.message_of(body)
    if message is None:
        return []
    addresses = (message.sender, *message.recipients)
    scopes = await scopes_of(addresses, where_it_is(message), "message", run.people)
    said = (said_of_users(scope, writers(body), run.people) for scope in scopes)
    return [one for one in said if one is not None]
