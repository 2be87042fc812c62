"""Gives messages their places in circles, as far as they can have one; the others have to wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from threadwell.encounters.placed import Placed
from threadwell.encounters.times import microseconds
from threadwell.encounters.twins import WINDOW_US
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.earlier import Earlier
from threadwell.intake.circles.place import Heard, Keywords, place
from threadwell.intake.circles.shelf import Shelf
from threadwell.intake.copies.twins import Twins
from threadwell.intake.held.listing import TWIN
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Held, Refusal, Route, authored
from threadwell.intake.people.ways import Ways
from threadwell.messages import Message

#: How far ahead of ours a sender's clock may be.
AHEAD_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Placing:
    """What a run knows of people and circles. The ways of the messages have been found before."""

    people: AddressBook
    ways: Ways
    shelf: Shelf
    twins: Twins
    keywords: Keywords
    earlier: Earlier

    def refusal(self, message: Message, now: int) -> Held | None:
        """Why a message has to wait, if it has to; ``now`` is in microseconds."""
        return _refusal(message, self.ways.of(message), now)

    def circle_of(self, message: Message) -> str:
        """The key of the circle of a message, ``""`` where it has none."""
        way = self.ways.found(message)
        return way.circle if isinstance(way, Route) else ""

    async def place(
        self, fresh: Mapping[str, Message], now: int
    ) -> tuple[dict[str, list[Placed]], dict[str, Held]]:
        """The messages by their circles, and those that have to wait; given by their ids."""
        people = self.people
        circles: dict[str, list[tuple[str, Message, Route]]] = {}
        held: dict[str, Held] = {}
        for id_, message in fresh.items():
            way = self.ways.of(message)
            refused = _refusal(message, way, now)
            if refused is not None:
                held[id_] = refused
            elif isinstance(way, Route):
                circles.setdefault(way.circle, []).append((id_, message, authored(way, message)))
        keys = {key: messages[0][2].patients for key, messages in circles.items()}
        await people.name(
            who for patients in keys.values() if len(patients) > 1 for who in patients
        )
        coming = {key: [one for _, one, _ in those] for key, those in circles.items()}
        at_hand = await self._circles(keys, coming)
        placed: dict[str, list[Placed]] = {}
        for key, patients in keys.items():
            circle = at_hand[key]
            names = people.names(patients) if len(patients) > 1 else None
            mine = placed[key] = []
            for way in {way for _, _, way in circles[key]}:
                for name, party in zip(way.keys, way.parties, strict=True):
                    circle.parties.setdefault(name, party)
            for id_, message, way in circles[key]:
                heard = None
                if names:
                    heard = Heard(names, people.own_names(message.sender, way.parties[0]))
                one = place(message, id_, way, heard, self.keywords)
                if twin := await self.twins.suspect(circle, one, message):
                    held[id_] = Held(message, TWIN, twin=twin)
                    continue
                circle.add(one, self.shelf.by_patient)
                mine.append(one)
        return placed, held

    async def _circles(
        self, keys: Mapping[str, tuple[str, ...]], coming: Mapping[str, Sequence[Message]]
    ) -> dict[str, Circle]:
        """The circles to which messages come: as much of them as these may change."""
        since = {
            key: min(microseconds(one.sent) for one in those) - WINDOW_US
            for key, those in coming.items()
        }
        at_hand = await self.shelf.take(keys, since)
        narrow = [(one, coming[key]) for key, one in at_hand.items() if not one.is_whole]
        if narrow and (wide := await self.earlier.find(narrow)):
            at_hand |= await self.shelf.take({key: keys[key] for key in wide})
        return at_hand


def _refusal(message: Message, way: Route | Refusal, now: int) -> Held | None:
    if microseconds(message.sent) > now + AHEAD_US:
        return Held(message, "future-date")
    return Held(message, *way) if isinstance(way, Refusal) else None
