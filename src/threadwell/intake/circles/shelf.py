"""The circles that a run keeps at hand, each with its marker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.load import load_circles, load_tails
from threadwell.intake.circles.place import Keywords
from threadwell.intake.circles.seen import Before
from threadwell.intake.circles.tails import Tails
from threadwell.intake.commits.marks import Marks, circle_mark
from threadwell.intake.people.address_book import AddressBook
from threadwell.sessions import BEGINNING

#: Messages and resources of circles that are kept at hand before the oldest are let go of. They
#: are counted again when so many more may have come as one is of ``_COUNTED``.
MOST_AT_HAND = 200_000
_COUNTED = 20
#: What a message of a circle at hand takes, in bytes of memory.
_MESSAGE_BYTES = 4096


class Shelf:
    """Circles by key, the one used last at the end.

    ``starts`` tell of circles of which a store has nothing, but of which the earlier part has been
    worked on: what counts of that.
    ``latest`` are the keys of those that the batch in the making has asked for: the store does not
    know yet what that makes of them, so they are never let go of. With ``narrow`` a circle is read
    from its tail on where that will do.
    Where all is ``brief``, none is kept for later. Of a circle that takes more than ``memory``
    bytes no more is kept than its tail, where that is enough for what comes. ``arrival`` waits for
    what is on its way to the store.
    """

    def __init__(
        self,
        people: AddressBook,
        keywords: Keywords,
        marks: Marks,
        tails: Tails,
        memory: int,
        *,
        by_patient: bool,
        narrow: bool,
        arrival: Callable[[], Awaitable[None]],
    ) -> None:
        self.latest: set[str] = set()
        self.starts: Mapping[str, Before] = {}
        self.narrow = narrow
        self._most = memory // _MESSAGE_BYTES
        self._whole: set[str] = set()
        self.brief = False
        self._tails = tails
        self._arrival = arrival
        self._people = people
        self._keywords = keywords
        self._marks = marks
        self.by_patient = by_patient
        self._circles: dict[str, Circle] = {}
        self._leaving: set[str] = set()
        self._uncounted = 0

    def __contains__(self, key: str) -> bool:
        return key in self._circles

    def __getitem__(self, key: str) -> Circle:
        return self._circles[key]

    def __iter__(self) -> Iterator[Circle]:
        return iter(self._circles.values())

    async def take(
        self, keys: Mapping[str, tuple[str, ...]], since: Mapping[str, int] = MappingProxyType({})
    ) -> dict[str, Circle]:
        """The circles of those keys and patients, loaded where they are not at hand.

        They are whole, but for those of which ``since`` tells from when on they are needed, in
        microseconds since 1970 UTC.
        """
        self.latest.update(keys)
        missing = {
            key: who
            for key, who in keys.items()
            if not self._has(key, since) or self._has_too_much(key, since)
        }
        if any(key in self._circles or key in self._leaving for key in missing):
            # What is on its way of them is nowhere but at hand.
            await self._arrival()
        loaded = await self._load(missing, since) if missing else {}
        for circle in loaded.values():
            circle.start = self.starts.get(circle.key, circle.start)
            self._uncounted += len(circle.messages) + len(circle.stored)
            if circle.is_whole and len(circle.messages) > self._most:
                # So it will be again: to read it once is enough.
                self._whole.add(circle.key)
        for key in keys:
            there = self._circles.pop(key, None)
            self._circles[key] = loaded[key] if key in loaded or there is None else there
        return {key: self._circles[key] for key in keys}

    def _has(self, key: str, since: Mapping[str, int]) -> bool:
        there = self._circles.get(key)
        return there is not None and there.start.since <= since.get(key, BEGINNING)

    def _has_too_much(self, key: str, since: Mapping[str, int]) -> bool:
        """Whether a long circle is at hand of which the tail is enough."""
        there = self._circles.get(key)
        if there is None or len(there.messages) <= self._most or key in self._whole:
            return False
        return self.narrow and BEGINNING < there.before.since <= since.get(key, BEGINNING)

    async def _load(
        self, missing: Mapping[str, tuple[str, ...]], since: Mapping[str, int]
    ) -> dict[str, Circle]:
        await self._marks.read(map(circle_mark, missing))
        people, keywords = self._people, self._keywords
        tails = await self._tails.read(missing, since) if self.narrow else {}
        near = (
            await load_tails(missing, tails, people, keywords, by_patient=self.by_patient)
            if tails
            else {}
        )
        rest = {key: who for key, who in missing.items() if key not in near}
        return {**near, **await load_circles(rest, people, keywords, by_patient=self.by_patient)}

    def trim(self, grown: int) -> None:
        """Let go of circles that have not been used for long; so much has come since the last."""
        self._uncounted += grown
        if self._leaving:
            self._marks.forget(map(circle_mark, self._leaving - self.latest))
            self._leaving = set()
        most = 0 if self.brief else MOST_AT_HAND
        if self._uncounted <= most // _COUNTED:
            return
        self._uncounted = 0
        at_hand = sum(len(one.messages) + len(one.stored) for one in self._circles.values())
        for key in [key for key in self._circles if key not in self.latest]:
            if at_hand <= most:
                break
            gone = self._circles[key]
            at_hand -= len(gone.messages) + len(gone.stored)
            self.drop([key])

    def let_go(self, size: int) -> None:
        """Let go of the circles of a batch that is on its way to the store, but for those of so
        many messages: they come in pieces. Whoever asks for another again waits until it is there.
        """
        for key in self.latest:
            if key in self._circles and len(self._circles[key].messages) < size:
                del self._circles[key]
                self._leaving.add(key)

    def drop(self, keys: Collection[str]) -> None:
        """Let go of circles, at once."""
        for key in keys:
            self._circles.pop(key, None)
        self._marks.forget(map(circle_mark, keys))

    def weight(self, keys: Iterable[str]) -> int:
        """How many messages those circles have that are at hand."""
        there = (self._circles.get(key) for key in keys)
        return sum(len(one.messages) for one in there if one is not None)
