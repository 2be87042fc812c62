"""The questions who writes at shared addresses: one for each address that messages wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from threadwell.encounters import codes
from threadwell.encounters.corrected import NOBODY, Agent
from threadwell.encounters.identity import Identity
from threadwell.encounters.merge import is_live
from threadwell.encounters.times import microseconds
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.commits.batch import Batch
from threadwell.intake.held.awaited import SHARED, Waits
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.question import (
    Scope,
    answered,
    applied,
    asked_again,
    candidates,
    is_applied,
    is_moot,
    moot,
    question,
    scope_of,
    still_asked,
    was_applied,
    writers,
)
from threadwell.intake.people.route import Held, address_key
from threadwell.messages import Address
from threadwell.stores.contract import Key, Stored

Current: TypeAlias = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]


class Said(NamedTuple):
    """What somebody says: that those ``persons`` use an address, as far as ``scope`` goes."""

    scope: Scope
    persons: frozenset[str]


def said_of_users(scope: Scope, persons: Iterable[str], people: AddressBook) -> Said | None:
    """What is said of an address by those of the persons who have it; ``None`` if none does."""
    users = frozenset(persons).intersection(people.party(scope.address).users)
    return Said(scope, users) if users else None


class Questions:
    """What one run asks, and what waits for it.

    ``people`` has the Tasks about the addresses that were looked up; those that are written are
    put there, too.
    """

    def __init__(self, people: AddressBook, current: Current) -> None:
        self._people = people
        self._current = current
        self._left: dict[str, None] = {}

    def leave(self, addresses: Iterable[Address]) -> None:
        """A message waits no longer for what is said of those addresses; another one may."""
        self._left.update(dict.fromkeys(map(address_key, addresses)))

    async def ask(self, batch: Batch, items: Iterable[Held]) -> None:
        """Ask what the messages wait for, where it is not being asked."""
        asked: dict[str, tuple[Scope, int]] = {}
        for item in items:
            sent = microseconds(item.message.sent)
            for address in item.shared:
                scope = Scope(address._replace(display=""))
                id_ = scope.identity.id
                asked[id_] = (scope, min(sent, asked[id_][1]) if id_ in asked else sent)
        batch.says |= bool(asked)
        unseen = [Key("Task", id_) for id_ in asked if id_ not in self._people.questions]
        there = await self._current(unseen) if unseen else {}
        for id_, (scope, since) in asked.items():
            seen = self._people.questions.get(id_)
            before = seen or there.get(Key("Task", id_))
            await self._ask(batch, scope, since, before, seen=seen is not None)

    async def _ask(
        self, batch: Batch, scope: Scope, since: int, before: Stored | None, *, seen: bool
    ) -> None:
        users = self._people.party(scope.address).users
        if before is None or before.deleted:
            task, written = None, question(scope, users, since)
        else:
            task = decode(before.body)
            # An answer that names nobody who has the address is of no use any more.
            if is_moot(task) or (seen and writers(task)):
                written = asked_again(task, scope, users, since)
            elif is_live(task):
                written = still_asked(task, scope, users, since)
            else:  # Somebody does not want to be asked, or has answered just now.
                return
        id_ = scope.identity.id
        if written != task:
            await self._write(batch, id_, written, before, scope)
            batch.reviews += task is None or not is_live(task)

    async def answer(self, batch: Batch, said: Iterable[Said], by: Agent = NOBODY) -> None:
        """Write what somebody has said, with who has; whoever has the addresses has to be known."""
        for scope, persons in said:
            key = Key("Task", scope.identity.id)
            before = self._people.questions.get(key.id)
            if before is None:
                before = (await self._current([key])).get(key)
            if before is None or before.deleted:
                users = self._people.party(scope.address).users
                task = question(scope, users, batch.updated * 1000)
            else:
                task = decode(before.body)
            written = answered(task, persons, by)
            if before is None or before.deleted or written != decode(before.body):
                await self._write(batch, key.id, written, before, scope)
                self._people.asked.unsettle(batch, key.id)
            batch.said[address_key(scope.address)] = scope.address

    async def take_over(self, batch: Batch, tasks: Iterable[str]) -> None:
        """Take over what people have done to such Tasks: they are found by their addresses.

        Those with an answer that messages do not go by yet are ``unsettled`` from now on.
        """
        found = await self._current([Key("Task", id_) for id_ in tasks])
        for key, stored in found.items():
            task = {} if stored.deleted else decode(stored.body)
            scope = scope_of(task)
            if scope is not None:
                batch.says = True
                narrow = scope.thread is not None or scope.message is not None
                await self._people.asked.add(
                    batch, address_key(scope.address), key.id, narrow=narrow
                )
                if writers(task) and not is_applied(task):
                    self._people.asked.unsettle(batch, key.id)
                else:
                    self._people.asked.settle(batch, key.id)

    async def unsettled(self) -> list[str]:
        """The ids of the Tasks with an answer that messages may not go by yet."""
        found = await self._people.asked.unsettled()
        await self._people.read_questions(found)
        there = {id_: self._people.questions[id_] for id_ in found if id_ in self._people.questions}
        return [
            id_
            for id_, stored in there.items()
            if writers(task := decode(stored.body)) and not is_applied(task)
        ]

    async def moves(self, tasks: Sequence[str]) -> tuple[set[str], set[str]]:
        """The keys of the addresses of which those Tasks may move messages, and their patients.

        Messages that have a place go by an earlier answer, or something is said of one of them.
        """
        addresses: set[str] = set()
        patients: set[str] = set()
        asked = [scope_of(decode(self._people.questions[id_].body)) for id_ in tasks]
        await self._people.resolve(scope.address for scope in asked if scope is not None)
        settled = {
            address_key(scope.address)
            for stored in self._people.questions.values()
            if (scope := scope_of(task := decode(stored.body))) and was_applied(task)
        }
        for id_ in tasks:
            task = decode(self._people.questions[id_].body)
            scope = scope_of(task)
            if scope is not None and (scope.message or address_key(scope.address) in settled):
                addresses.add(address_key(scope.address))
                patients |= self._people.party(scope.address).circle
                patients.update(one for one in candidates(task) if one.startswith("Patient/"))
        return addresses, patients

    async def mark(self, batch: Batch, tasks: Iterable[str]) -> int:
        """Mark answers as those that all messages go by; how many were not."""
        marked = 0
        for id_ in tasks:
            before = self._people.questions[id_]
            task = decode(before.body)
            if writers(task) and not is_applied(task):
                await self._write(batch, id_, applied(task), before)
                marked += 1
            self._people.asked.settle(batch, id_)
        return marked

    async def close(self, batch: Batch, waits: Waits) -> None:
        """Close the questions that nothing waits for any more."""
        left, self._left = self._left, {}
        for address in left:
            if await _is_awaited(waits, address):
                continue
            key = Key("Task", Identity(codes.SHARED, address).id)
            before = self._people.questions.get(key.id)
            if before is None:
                before = (await self._current([key])).get(key)
            if before is not None and not before.deleted and is_live(decode(before.body)):
                await self._write(batch, key.id, moot(decode(before.body)), before)

    async def _write(
        self,
        batch: Batch,
        id_: str,
        task: Resource,
        before: Stored | None,
        scope: Scope | None = None,
    ) -> None:
        """Write a Task; with the ``scope``, where it may be that it was not there before."""
        batch.says = True
        key = Key("Task", id_)
        if key in batch.writes:  # What the batch writes is one version.
            before = batch.writes[key].before
        self._people.questions[id_] = batch.write(key, task, before)
        if scope is not None:
            narrow = scope.thread is not None or scope.message is not None
            await self._people.asked.add(batch, address_key(scope.address), id_, narrow=narrow)


async def _is_awaited(waits: Waits, address: str) -> bool:
    """Whether any message waits for what is said of an address."""
    async for one in waits.at(address):
        if one.what is not None and one.what.why == SHARED:
            return True
    return False
