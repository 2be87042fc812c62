"""The ways between addresses that a run has met: each is found once."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Refusal, Route, route
from threadwell.messages import Address, Message


class Ways:
    """Finds ways and remembers them. With ``strangers`` a Patient is made of whoever is unknown."""

    def __init__(self, people: AddressBook, *, strangers: bool) -> None:
        self._people = people
        self._strangers = strangers
        self._known: dict[tuple[Address, tuple[Address, ...]], Route | Refusal] = {}

    def of(self, message: Message) -> Route | Refusal:
        """The way of a message; it has to be found."""
        return self._known[message.sender, message.recipients]

    async def find(self, messages: Iterable[Message]) -> None:
        """Have the way of every message at hand."""
        await self._find({(one.sender, one.recipients) for one in messages})

    async def between(self, sender: Address, recipients: tuple[Address, ...]) -> Route | Refusal:
        """The way from one address to others."""
        await self._find({(sender, recipients)})
        return self._known[sender, recipients]

    async def _find(self, ends: set[tuple[Address, tuple[Address, ...]]]) -> None:
        people, strangers = self._people, self._strangers
        unmet = ends.difference(self._known)
        await people.resolve(one for ends in unmet for one in (ends[0], *ends[1]))
        for sender, recipients in unmet:
            way = route(sender, recipients, people, strangers=strangers)
            if strangers and isinstance(way, Refusal):
                for address in way.unknown:
                    people.make_patient(address)
                way = route(sender, recipients, people, strangers=strangers)
            self._known[sender, recipients] = way
