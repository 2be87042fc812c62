"""Gives messages their places in circles, as far as they can have one; the others have to wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from threadwell.encounters.placed import Placed
from threadwell.encounters.times import microseconds
from threadwell.encounters.twins import WINDOW_US
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.earlier import Earlier
from threadwell.intake.circles.place import Heard, Keywords, place
from threadwell.intake.circles.shelf import Shelf
from threadwell.intake.copies.twins import Twins, may_have_twins
from threadwell.intake.held.listing import TWIN
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Held, Refusal, Route, authored
from threadwell.intake.people.ways import Ways
from threadwell.messages import Message

#: How far ahead of ours a sender's clock may be.
AHEAD_US = 86_400_000_000

#: A message that has a circle: its id, itself, its way, and when it was sent (µs since 1970 UTC).
_Coming: TypeAlias = tuple[str, Message, Route, int]


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
        return _refusal(message, microseconds(message.sent), self.ways.of(message), now)

    def circle_of(self, message: Message) -> str:
        """The key of the circle of a message, ``""`` where it has none."""
        way = self.ways.found(message)
        return way.circle if isinstance(way, Route) else ""

    async def place(
        self, fresh: Mapping[str, Message], now: int
    ) -> tuple[dict[str, list[Placed]], dict[str, Held]]:
        """The messages by their circles, and those that have to wait; given by their ids."""
        people = self.people
        circles: dict[str, list[_Coming]] = {}
        held: dict[str, Held] = {}
        for id_, message in fresh.items():
            way, at = self.ways.of(message), microseconds(message.sent)
            refused = _refusal(message, at, way, now)
            if refused is not None:
                held[id_] = refused
            elif isinstance(way, Route):
                coming = (id_, message, authored(way, message), at)
                circles.setdefault(way.circle, []).append(coming)
        keys = {key: messages[0][2].patients for key, messages in circles.items()}
        await people.name(
            who for patients in keys.values() if len(patients) > 1 for who in patients
        )
        at_hand = await self._circles(keys, circles)
        placed: dict[str, list[Placed]] = {}
        for key, patients in keys.items():
            circle = at_hand[key]
            names = people.names(patients) if len(patients) > 1 else None
            mine = placed[key] = []
            # Each way is found once, and is the same object for all messages that go it.
            for way in {id(way): way for _, _, way, _ in circles[key]}.values():
                for name, party in zip(way.keys, way.parties, strict=True):
                    circle.parties.setdefault(name, party)
            for id_, message, way, at in circles[key]:
                heard = None
                if names:
                    heard = Heard(names, people.own_names(message.sender, way.parties[0]))
                one = place(message, id_, at, way, heard, self.keywords)
                if may_have_twins(circle, one, message) and (
                    twin := await self.twins.suspect(circle, one, message)
                ):
                    held[id_] = Held(message, TWIN, twin=twin)
                    continue
                circle.add(one, self.shelf.by_patient)
                mine.append(one)
        return placed, held

    async def _circles(
        self, keys: Mapping[str, tuple[str, ...]], coming: Mapping[str, Sequence[_Coming]]
    ) -> dict[str, Circle]:
        """The circles to which messages come: as much of them as these may change."""
        since = {
            key: min([at for _, _, _, at in those]) - WINDOW_US for key, those in coming.items()
        }
        at_hand = await self.shelf.take(keys, since)
        narrow = [
            (one, [message for _, message, _, _ in coming[key]])
            for key, one in at_hand.items()
            if not one.is_whole
        ]
        if narrow and (wide := await self.earlier.find(narrow)):
            at_hand |= await self.shelf.take({key: keys[key] for key in wide})
        return at_hand


def _refusal(message: Message, at: int, way: Route | Refusal, now: int) -> Held | None:
    if at > now + AHEAD_US:
        return Held(message, "future-date")
    return Held(message, *way) if isinstance(way, Refusal) else None
