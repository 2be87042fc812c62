"""How many match: lists are counted once, and from then on what was committed since is added.

A count of a list reads all of it. Who counted it keeps the number with the position of the project
then (``Store.position``): the resources that were written since tell how much longer it is by now.
Of a search that walks one list and asks of each entry more than that, so many entries are looked at
and no more; beyond that its total is not known, and is estimated by a part of the list.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple, Protocol

from threadwell.fhir.search.query import Query, Total

#: A list of so many entries is counted each time.
SHORT = 5_000
#: Entries that are looked at for a total that has to be exact; and for one that is estimated.
MOST, ENOUGH = 1_000_000, 20_000
#: To ask a resource itself costs as much as to look at so many entries.
DOUBT = 50
#: Entries by which a total is estimated.
SAMPLE = 2_000
#: So many entries of a list are counted in the time in which one changed resource is looked at.
_EACH, _FEW = 1_000, 20
#: Lists whose lengths are kept.
_KEPT = 10_000


class Length(NamedTuple):
    """How long a list was at a position; ``turn`` is that of the search parameters then.

    ``mark`` tells what was committed there, where the database may be put back to an earlier state
    under a server that goes on: then the same position is that of something else.
    """

    position: int
    turn: int
    entries: int
    mark: str = ""

    @property
    def worth(self) -> int:
        """How many versions since then may be looked at rather than to count it anew."""
        return _FEW + self.entries // _EACH


class Changed(NamedTuple):
    """A resource that was written since, whether the list has it by now, and what it was.

    ``before`` is its body and time then: ``None`` where it was not there, or was deleted.
    """

    is_in: bool
    before: tuple[bytes, int] | None


class Lengths:
    """The lengths that are kept in a process, by project and list. Any thread may ask."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Length] = OrderedDict()

    def get(self, pid: int, key: int) -> Length | None:
        """The length as it was."""
        return self._kept.get((pid, key))

    def keep(self, pid: int, key: int, length: Length) -> None:
        """Keep it instead of the one before."""
        kept = self._kept
        kept.pop((pid, key), None)
        kept[pid, key] = length
        if len(kept) > _KEPT:
            kept.popitem(last=False)


class Counted(NamedTuple):
    """A total: ``None`` where it would take too long to tell; ``estimated`` where it is a guess."""

    total: int | None
    estimated: bool = False


class Entered(Protocol):
    """Whether a version stands in a list; ``None`` where that hangs on more than itself."""

    def __call__(self, body: bytes, updated: int, key: int) -> bool | None: ...


def longer(changes: list[Changed], key: int, entered: Entered) -> int | None:
    """By how much the changes make a list longer; ``None`` where they do not tell."""
    more = 0
    for is_in, before in changes:
        was = False if before is None else entered(*before, key)
        if was is None:
            return None
        more += is_in - was
    return more


def most(query: Query) -> int:
    """How many entries may be looked at for the total of a query."""
    return ENOUGH if query.total is Total.ESTIMATE else MOST


def estimates(query: Query) -> bool:
    """Whether a total that would take too long is estimated rather than left out: a caller who asks
    for the exact number is told no other.
    """
    return query.total is not Total.ACCURATE


def estimate(matching: int, sample: int, entries: int) -> int:
    """How many match of so many entries, by how many do of a sample."""
    return round(entries * matching / sample) if sample else 0
