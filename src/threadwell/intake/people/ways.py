"""The ways between addresses that a run has met: each is found once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Refusal, Route, route
from threadwell.intake.people.writers import ANYWHERE, At, where_it_is
from threadwell.messages import Address, Message

#: From whom to whom, and where. It is looked up for every message, so it is a plain tuple.
_Ends: TypeAlias = tuple[Address, tuple[Address, ...], At]


class Ways:
    """Finds ways and remembers them. With ``strangers`` a Patient is made of whoever is unknown."""

    def __init__(self, people: AddressBook, *, strangers: bool) -> None:
        self._people = people
        self._strangers = strangers
        self._known: dict[_Ends, Route | Refusal] = {}

    def forget(self) -> None:
        """Let go of all ways: people have changed."""
        self._known.clear()

    @property
    def size(self) -> int:
        """How many are remembered."""
        return len(self._known)

    def of(self, message: Message) -> Route | Refusal:
        """The way of a message; it has to be found."""
        return self._known[self._ends(message)]

    def found(self, message: Message) -> Route | Refusal | None:
        """The way of a message; ``None`` where it was not looked for."""
        return self._known.get(self._ends(message))

    async def find(self, messages: Iterable[Message]) -> None:
        """Have the way of every message at hand."""
        every = list(messages)
        if self._people.take_as_own(own for one in every for own in one.ours):
            self._known.clear()
        await self._find({self._ends(one) for one in every})

    async def between(
        self, sender: Address, recipients: tuple[Address, ...], where: At = ANYWHERE
    ) -> Route | Refusal:
        """The way from one address to others, in a message that is there."""
        ends = sender, recipients, where
        await self._find({ends})
        return self._known[ends]

    def _ends(self, message: Message) -> _Ends:
        where = where_it_is(message) if self._people.writers.narrow else ANYWHERE
        return message.sender, message.recipients, where

    async def _find(self, ends: set[_Ends]) -> None:
        people, strangers = self._people, self._strangers
        unmet = ends.difference(self._known)
        await people.resolve(one for sender, to, _ in unmet for one in (sender, *to))
        for one in unmet:
            sender, to, where = one
            users = people.users(where)
            way = route(sender, to, users, strangers=strangers)
            if strangers and isinstance(way, Refusal):
                for address in way.unknown:
                    people.make_patient(address)
                way = route(sender, to, users, strangers=strangers)
            self._known[one] = way
