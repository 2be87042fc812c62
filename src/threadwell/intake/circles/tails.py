"""The tails of circles in the store: private values, each good with the marker that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.tail import Tail, basis_of, decoded, encode, tail_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.marks import Marks, circle_mark, mark_name
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.settings import Settings
from threadwell.messages import Address
from threadwell.stores.contract import Kept

KIND = "intake-tail"


def tail_name(project: str, circle: str) -> str:
    """The name of the private value that is the tail of a circle."""
    return mark_name(project, circle_mark(circle))


class Tails:
    """Those that a run reads, and those that it writes. The markers are at hand."""

    def __init__(self, people: AddressBook, marks: Marks, settings: Settings) -> None:
        self._people = people
        self._marks = marks
        self._settings = settings

    async def read(
        self, circles: Mapping[str, tuple[str, ...]], since: Mapping[str, int]
    ) -> dict[str, Tail]:
        """The tails of circles (keys and patients) that hold, and begin early enough.

        ``since`` tells from when on each is asked for, in microseconds since 1970 UTC; of those
        that it does not tell of, none will do.
        """
        names = {self._name(key): key for key in circles if key in since}
        found = await self._people.store.get_private_many(KIND, list(names)) if names else {}
        out: dict[str, Tail] = {}
        for name, value in found.items():
            key, tail = names[name], decoded(value)
            if tail is None or tail.since > since[key] or tail.mark != self._marks.version(key):
                continue
            if tail.basis == await self._basis(circles[key], [one.address for one in tail.people]):
                out[key] = tail
        return out

    async def put(self, batch: Batch, circles: Iterable[Circle], rules: Rules) -> None:
        """Let a batch that replaces the markers of circles write their tails as well."""
        for circle in circles:
            tail = tail_of(circle, rules, batch.version)
            if tail is not None:
                basis = await self._basis(circle.patients, [one.address for one in tail.people])
                batch.keep(Kept(KIND, self._name(circle.key), encode(tail, basis)))

    async def _basis(self, patients: tuple[str, ...], addresses: Sequence[Address]) -> str:
        """What sessions of those patients go by beside messages, and who has which address."""
        people, names = self._people, ""
        if len(patients) > 1:
            await people.name(patients)
            await people.resolve(addresses)
            own = [people.own_names(one, people.party(one)) for one in addresses]
            names = repr(([people.called(one) for one in patients], own))
        return basis_of(self._settings, people.practice, names)

    def _name(self, circle: str) -> str:
        return tail_name(self._people.project, circle)
