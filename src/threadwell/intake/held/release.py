"""Which held messages may have their place now: found by what they wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from threadwell.fhir.json import decode
from threadwell.intake.held.awaited import PARTY, SHARED, SOME, UNKNOWN, Wait
from threadwell.intake.held.hold import NO_MESSAGE
from threadwell.intake.held.keeping import Quarantine
from threadwell.intake.held.listing import open_held, quarantined
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.asked import is_found_by_address
from threadwell.messages import Address, Message

_AT_A_TIME = 500


@dataclass(slots=True)
class Wanted:
    """Which of what is held is to be tried: what waits for ``things``, some ``tasks``, or ``all``.

    ``things`` are keys (``Awaited.key``), ``tasks`` the ids of Tasks. What is ``due`` is tried
    with them: its day has come.
    """

    things: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    all: bool = False
    due: bool = True


class Desk(Protocol):
    """What a run has at hand."""

    people: AddressBook
    quarantine: Quarantine


async def hopeful(
    desk: Desk, wanted: Wanted, until: int, *, strangers: bool
) -> AsyncIterator[list[str]]:
    """The ids of Tasks whose messages may have their place, some at a time.

    So are those whose day has come, that were sent up to ``until`` in microseconds. With
    ``strangers`` a Patient is made of whoever is unknown.
    """
    some: list[Wait] = [Wait(task, None) for task in wanted.tasks]
    async for one in _found(desk, wanted, until):
        some.append(one)
        if len(some) >= _AT_A_TIME:
            yield await _likely(desk.people, some, strangers=strangers)
            some = []
    if some:
        yield await _likely(desk.people, some, strangers=strangers)


async def messages_of(
    desk: Desk, tasks: list[str], *, strangers: bool
) -> tuple[dict[str, Message], list[str]]:
    """The messages of those of the Tasks that may have their place, and those that wait no more."""
    waiting = await desk.quarantine.waiting(tasks)
    every = {id_: quarantined(decode(stored.body)) for id_, stored in waiting.items()}
    every = {id_: one for id_, one in every.items() if one.reason not in NO_MESSAGE}
    people, out = desk.people, dict[str, Message]()
    await people.resolve(a for one in every.values() for a in (*one.unknown, *one.shared))
    for id_, one in every.items():
        if one.shared and not any(map(people.may_use, one.shared)):
            continue
        if one.unknown and not (strangers or any(people.party(a).known for a in one.unknown)):
            continue
        message = await desk.quarantine.message_of(decode(waiting[id_].body))
        if message is not None:
            out[id_] = message
    return out, [id_ for id_ in tasks if id_ not in waiting]


async def _found(desk: Desk, wanted: Wanted, until: int) -> AsyncIterator[Wait]:
    people, waits = desk.people, desk.quarantine.waits
    if wanted.all and not await is_found_by_address(people.store, people.project):
        async for stored in open_held(people.store, people.project):
            yield Wait(stored.id, None)
        return
    if wanted.due and desk.quarantine.holds:
        async for one in waits.until(until):
            yield one
    if wanted.all:
        async for one in waits.all():
            yield one
        return
    for thing in wanted.things:
        async for one in waits.at(thing):
            yield one


async def _likely(people: AddressBook, some: list[Wait], *, strangers: bool) -> list[str]:
    """Those of the Tasks of which what they wait for may be there, each once."""
    things = [one.what.thing for one in some if one.what is not None]
    await people.resolve(one for one in things if isinstance(one, Address))
    return list(
        dict.fromkeys(one.task for one in some if _may_be(people, one, strangers=strangers))
    )


def _may_be(people: AddressBook, one: Wait, *, strangers: bool) -> bool:
    if one.what is None or not isinstance(one.what.thing, Address):
        return True
    why, address = one.what.why, one.what.thing
    if why == UNKNOWN:
        return strangers or people.party(address).known
    if why == SHARED:
        return people.may_use(address)
    return why == SOME or (why == PARTY and bool(people.party(address).circle))
