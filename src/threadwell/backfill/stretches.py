"""What belongs together and is too much for the memory, in stretches from horizon to horizon.

Each stretch begins at a moment at which messages may be parted: none before it has anything to do
with one from then on, but that their thread goes on. So what comes of the stretches is what would
come of all of it at once. In memory are the messages of one stretch; of all others a few numbers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from threadwell.backfill.grouping import Records
from threadwell.backfill.records import decode
from threadwell.encounters.times import microseconds
from threadwell.encounters.twins import WINDOW_US
from threadwell.intake.commits.batch import Batch
from threadwell.intake.whole import Along, Item, Whole
from threadwell.messages import Message
from threadwell.messages.wordings import original_of
from threadwell.sessions import BEGINNING

if TYPE_CHECKING:
    import pyarrow as pa

#: Records that are read at once.
_AT_ONCE = 500
#: How far apart messages are of which neither tells who the other one is: what an export has
#: deleted is looked for within a minute, and what came by two ways within this and the window.
_APART_US = WINDOW_US + 60_000_000


async def made_in_stretches(whole: Whole, records: Records, most: int) -> AsyncIterator[Batch]:
    """What comes of a large group, stretch by stretch of about ``most`` bytes each.

    A stretch is longer where its messages cannot be parted: all of them, at the worst.
    """
    along, holding = Along(), _Holding()
    holding.look(records)
    window: list[_One] = []
    size, enough = 0, most
    for one in _in_time(records, holding):
        window.append(one)
        size += one.size
        if size < enough:
            continue
        items = [each.item for each in window]
        parting = await whole.parting(items, one.at, holding.allowed)
        if parting is None:
            # It is looked for again once there is twice as much.
            enough = 2 * size
            continue
        rest = [each for each in window if each.at >= parting]
        yield await whole.take_stretch(_as_read(window[: len(window) - len(rest)]), along)
        window, along.since = rest, parting
        size = sum(each.size for each in rest)
        enough = max(most, 2 * size)
    if window:
        yield await whole.take_stretch(_as_read(window), along)


class _One(NamedTuple):
    """A record that was read: when it was sent (µs), which one it is, and how many bytes it had."""

    at: int
    number: int
    size: int
    item: Item


class _Holding:
    """What holds messages of a group together: they are of one id, or name each other."""

    def __init__(self) -> None:
        self.times = array("q")
        self._from: list[int] = []
        self._to: list[int] = []
        self._ordered = array("q")
        self._several = False

    def look(self, records: Records) -> None:
        """Look at all of the messages, one after the other."""
        import pyarrow as pa

        keys, at = array("q"), array("q")
        ways: set[tuple[str, str]] = set()
        for content in records:
            item = decode(content)
            if not isinstance(item, Message):
                self.times.append(BEGINNING)
                continue
            sent = microseconds(item.sent)
            self.times.append(sent)
            ways.add((item.channel, item.source))
            self._several |= bool(item.besides or item.taken_back or item.edited)
            for key in _names(item):
                keys.append(key)
                at.append(sent)
        self._several |= len(ways) > 1
        named = pa.table({"key": pa.array(keys, pa.int64()), "at": pa.array(at, pa.int64())})
        self._from, self._to = _joined(named)
        self._ordered = array("q", sorted(self.times))

    def allowed(self, at: int) -> int:
        """The last moment, not after that one, at which none of this is parted."""
        while True:
            before = at
            found = bisect_left(self._from, at) - 1
            if found >= 0 and at <= self._to[found]:
                at = self._from[found]
            if self._several:
                at = self._after_a_pause(at)
            if at == before:
                return at

    def _after_a_pause(self, at: int) -> int:
        """The last moment, not after that one, before which nobody wrote for a while."""
        times = self._ordered
        for later in range(bisect_left(times, at), 0, -1):
            if later == len(times) or times[later] - times[later - 1] > _APART_US:
                return at if later == len(times) else min(at, times[later])
        return BEGINNING


def _names(message: Message) -> set[int]:
    """What a message is called, and which ones it names."""
    every = (
        *(message.external_id, message.in_reply_to, *message.references),
        *(*message.earlier_ids, *message.also, *message.besides),
    )
    return {hash((message.channel, one)) for id_ in every if id_ for one in (id_, original_of(id_))}


def _joined(named: pa.Table) -> tuple[list[int], list[int]]:
    """Where messages hold each other together: from behind a moment, up to another one."""
    import pyarrow.compute as pc

    ends = named.group_by("key").aggregate([("at", "min"), ("at", "max")])
    ends = ends.filter(pc.less(ends["at_min"], ends["at_max"])).sort_by("at_min")
    low: list[int] = []
    high: list[int] = []
    for first, last in zip(ends["at_min"].to_pylist(), ends["at_max"].to_pylist(), strict=True):
        # Where one begins when another one ends, both may be parted at that moment.
        if high and first < high[-1]:
            high[-1] = max(high[-1], last)
        else:
            low.append(first)
            high.append(last)
    return low, high


def _in_time(records: Records, holding: _Holding) -> Iterator[_One]:
    """The records in the order of time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    order = pc.sort_indices(
        pa.table({"at": pa.array(holding.times, pa.int64()), "number": range(len(records))}),
        sort_keys=[("at", "ascending"), ("number", "ascending")],
    )
    for start in range(0, len(order), _AT_ONCE):
        numbers = order.slice(start, _AT_ONCE)
        for number, content in zip(numbers.to_pylist(), records.some(numbers), strict=True):
            yield _One(holding.times[number], number, len(content), decode(content))


def _as_read(window: Iterable[_One]) -> list[Item]:
    return [one.item for one in sorted(window, key=attrgetter("number"))]
