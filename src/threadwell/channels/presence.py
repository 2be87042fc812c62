"""Who was in a group when something was said there: going by who came to it and who left."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from threadwell.messages import Address

At = TypeVar("At", int, str)

#: More people than care has in one place: what is said there is said in public.
CROWD = 2_500


@dataclass(slots=True)
class Presence(Generic[At]):
    """The people of a group by the names that the export has for them.

    ``At`` is what its messages are ordered by. Who is known to have come was not there before; who
    is known to have left was there until then, and is not any more; of all others nothing is known,
    and they are taken to be there.
    """

    people: dict[str, Address] = field(default_factory=dict)
    _moves: list[tuple[At, str, bool]] = field(default_factory=list)
    _sorted: bool = True
    _at: list[At] = field(default_factory=list)
    _others: dict[tuple[int, str], tuple[Address, ...]] = field(default_factory=dict)

    @property
    def is_crowd(self) -> bool:
        """Whether there are more of them than care has in one place."""
        return len(self.people) > CROWD

    def move(self, at: At, name: str, *, came: bool) -> None:
        """Note that somebody came to the group or left it."""
        self._moves.append((at, name, came))
        self._sorted = False

    def others(self, sender: str, at: At) -> tuple[Address, ...]:
        """Everybody who was there then, but ``sender``; in an order of their own, each once."""
        self._sort()
        place = bisect_right(self._at, at)
        found = self._others.get((place, sender))
        if found is None:
            there = (self.people[name] for name in self._there(place) if name != sender)
            own = self.people[sender].key if sender in self.people else None
            found = tuple({one.key: one for one in there if one.key != own}.values())
            found = tuple(sorted(found, key=lambda one: one.key))
            self._others[place, sender] = found
        return found

    def _there(self, place: int) -> Iterable[str]:
        last = {name: came for _, name, came in self._moves[:place]}
        later: dict[str, bool] = {}
        for _, name, came in self._moves[place:]:
            later.setdefault(name, came)
        return (name for name in self.people if last.get(name, not later.get(name, False)))

    def _sort(self) -> None:
        if not self._sorted:
            self._moves.sort(key=lambda move: move[0])
            self._at = [at for at, _, _ in self._moves]
            self._others.clear()
            self._sorted = True
