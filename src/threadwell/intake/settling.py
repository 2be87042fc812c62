"""A person says who writes at an address that several patients share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from threadwell.encounters.corrected import Agent
from threadwell.encounters.merge import is_live
from threadwell.encounters.people import addresses_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.place import thread_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.held.listing import SHARED, quarantined
from threadwell.intake.held.questions import said_of_users
from threadwell.intake.importing import say_who_writes
from threadwell.intake.links import as_key
from threadwell.intake.people.question import Scope, scope_of
from threadwell.intake.people.scopes import HOLDS_FOR, scopes_of
from threadwell.intake.people.writers import where_it_is, where_it_stands
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.intake.settled import say


class BadAnswer(ValueError):
    """The answer cannot be taken; the message says why, without any content."""


def asks_who_writes(resource: Resource) -> bool:
    """Whether it is a question who writes, or a message of which that can be said."""
    if resource["resourceType"] == "Communication":
        return True
    held = resource.get("reasonCode") is not None and quarantined(resource).reason == SHARED
    return held or scope_of(resource) is not None


async def answer_writers(
    seat: Seat, asked: str, persons: Sequence[str], *, holds_for: str = "address"
) -> Report:
    """Let those persons (``Patient/…``, ``RelatedPerson/…``) use an address that several share.

    ``asked`` is the question (``Task/…``), or a message that is held (``Task/…``) or has its place
    (``Communication/…``). Of a message ``holds_for`` says whether the answer is for all of the
    ``address``, for its ``thread`` or for that ``message`` alone. It holds at once: what waits gets
    its place, and what has its place by an earlier answer moves. With several persons nobody knows
    which of them writes. Raises ``BadAnswer``, and ``StoreError`` if others
    keep writing to it.
    """
    if not persons:
        raise BadAnswer("an answer names at least one person")
    if holds_for not in HOLDS_FOR:
        raise BadAnswer(f"an answer holds for {', '.join(HOLDS_FOR[:-1])} or {HOLDS_FOR[-1]}")
    make = partial(_say, asked=asked, persons=persons, holds_for=holds_for, by=seat.by)
    return await say_who_writes(seat, make)


async def _say(run: Run, *, asked: str, persons: Sequence[str], holds_for: str, by: Agent) -> Batch:
    scopes = await _scopes(run, asked, holds_for)
    if not scopes:
        raise BadAnswer(f"no address of {asked} is shared by several patients")
    await run.people.resolve(scope.address for scope in scopes)
    users = {who for scope in scopes for who in run.people.party(scope.address).users}
    named = {one: one if "/" in one else _found(one, users) for one in persons}
    if others := sorted(one for one, who in named.items() if who not in users):
        raise BadAnswer(
            f"{' and '.join(others)} does not have that address: it belongs to "
            f"{', '.join(sorted(users))}"
        )
    said = (said_of_users(scope, named.values(), run.people) for scope in scopes)
    return await say(run, [one for one in said if one is not None], by)


def _found(id_: str, users: set[str]) -> str:
    """Who of the users has that bare id."""
    return next((one for one in sorted(users) if one.partition("/")[2] == id_), id_)


async def _scopes(run: Run, asked: str, holds_for: str) -> list[Scope]:
    """What the answer is about."""
    body = await _read(run, asked)
    if body["resourceType"] == "Communication":
        return await _scopes_of_child(run, body, holds_for)
    scope = scope_of(body)
    if scope is not None:
        if holds_for != "address":
            raise BadAnswer(f"{asked} asks about an address: name a message to say it of less")
        return [scope]
    if not is_live(body):
        raise BadAnswer(f"{asked} is {body['status']}: its message waits no longer")
    message = await run.quarantine.message_of(body)
    if message is None:
        raise BadAnswer(f"{asked} holds no message that can be read")
    addresses = (message.sender, *message.recipients)
    return await scopes_of(addresses, where_it_is(message), holds_for, run.people)


async def _scopes_of_child(run: Run, child: Resource, holds_for: str) -> list[Scope]:
    parent = str((child.get("partOf") or [{}])[0].get("reference", ""))
    header = await _read(run, parent) if parent else {}
    thread = thread_of(header) if header else None
    if thread is None:
        raise BadAnswer(f"Communication/{child['id']} is no message of an import")
    actors = (child.get("sender") or {}, *(child.get("recipient") or ()))
    addresses = [address for one in actors for address in addresses_of(one)]
    where = where_it_stands(child, thread.id, by_references=thread.by_references)
    return await scopes_of(addresses, where, holds_for, run.people)


async def _read(run: Run, name: str) -> Resource:
    key = as_key(name)
    found = (await run.current([key])).get(key)
    if found is None or found.deleted:
        raise BadAnswer(f"there is no {name}")
    body: Resource = decode(found.body)
    return body
