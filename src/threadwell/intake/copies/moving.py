"""Messages move to another circle, as a person has said who writes at a shared address."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from threadwell.encounters.placed import Placed
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.load import placed_in
from threadwell.intake.circles.place import ThreadOf
from threadwell.intake.circles.plan import is_kept_out
from threadwell.intake.circles.rules import Rules
from threadwell.intake.copies.recording import Desk, Draft, Recorded
from threadwell.intake.people.route import Route, address_key
from threadwell.intake.people.writers import ANYWHERE, At, borne, where_it_stands
from threadwell.stores.contract import Key, Stored


async def move_messages(
    circles: Iterable[Circle], addresses: Collection[str], rules: Rules, desk: Desk
) -> Recorded:
    """Put messages of those circles where they belong by what is said of those address keys.

    Only what had its place by such an answer, or what was said of the message itself, moves it.
    What has been billed stays, and so does what would change a billed session.
    """
    out = Recorded()
    for circle in circles:
        those = [one for one in circle.messages.values() if _is_at(one, circle, addresses)]
        found = await desk.current([Key("Communication", one.child) for one in those])
        for one in those:
            stored = found.get(Key("Communication", one.child))
            if stored is not None and not stored.deleted:
                await _Move(one, circle, stored, decode(stored.body), rules, desk).make(
                    addresses, out
                )
    return out


def _is_at(placed: Placed, circle: Circle, addresses: Collection[str]) -> bool:
    if placed.link is None or Key("Communication", placed.link.header) in circle.locked:
        return False
    parties = (circle.parties[key] for key in (placed.sender, *placed.recipients))
    return any(address_key(party.address) in addresses for party in parties)


@dataclass(slots=True)
class _Move:
    """One message, perhaps to another circle."""

    placed: Placed
    circle: Circle
    stored: Stored
    body: Resource
    rules: Rules
    desk: Desk

    async def make(self, addresses: Collection[str], out: Recorded) -> None:
        where = self._where()
        if not (borne(self.body) or self._is_meant(addresses, where)):
            return
        parties = self.circle.parties
        sender, *to = [
            parties[key].address for key in (self.placed.sender, *self.placed.recipients)
        ]
        way = await self.desk.ways.between(sender, tuple(to), where)
        if not isinstance(way, Route) or way.circle == self.circle.key:
            return
        home = (await self.desk.circles({way.circle: way.patients}))[way.circle]
        thread = ThreadOf(self.placed.thread_id, self.placed.by_references)
        people, keywords = self.desk.people, self.desk.keywords
        again = await placed_in(home, thread, self.body, people, keywords)
        if again is None or is_kept_out(home, again, self.rules):
            return
        self.circle.let_go(self.placed, self.desk.by_patient)
        home.take_back(again, self.desk.by_patient)
        self.circle.resettled = home.resettled = True
        out.touched.update((self.circle.key, home.key))
        out.drafts[self.placed.child] = Draft(home, again, self.body, self.stored, ())

    def _where(self) -> At:
        if not self.desk.people.writers.narrow:
            return ANYWHERE
        placed = self.placed
        return where_it_stands(self.body, placed.thread_id, by_references=placed.by_references)

    def _is_meant(self, addresses: Collection[str], where: At) -> bool:
        """Whether something was said of this very message."""
        said = (self.desk.people.writers.at(one, where) for one in addresses)
        return any(one is not None and one.message is not None for one in said)
