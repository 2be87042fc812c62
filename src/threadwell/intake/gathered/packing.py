"""Items that belong together become batches: a circle is in one, as long as it fits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from threadwell.intake.gathered.spool import Belongs
from threadwell.messages import Broken, Message


def batches(parts: Iterable[Sequence[Belongs]], size: int) -> Iterator[list[Message | Broken]]:
    """The items in batches of at most ``size``, circle after circle, each in the order of time.

    What is broken keeps its order, and comes first in its circle. A batch has of several parts
    where these are small: each costs a commit.
    """
    batch: list[Message | Broken] = []
    for those in _circles(parts):
        if batch and len(batch) + len(those) > size:
            yield batch
            batch = []
        for at in range(0, len(those), size):
            some = those[at : at + size]
            if batch and len(batch) + len(some) > size:
                yield batch
                batch = []
            batch += some
    if batch:
        yield batch


def even(count: int, size: int) -> int:
    """A size near ``size`` by which so many items become batches of about the same size, for each
    costs a commit: a little more than their share, as circles stay whole.
    """
    share = -(-count // max(1, round(count / size)))
    return max(size, share + share // 8)


def _circles(parts: Iterable[Sequence[Belongs]]) -> Iterator[list[Message | Broken]]:
    for part in parts:
        for _, group in groupby(sorted(part, key=_order), key=attrgetter("key")):
            yield [one.item for one in group]


def _order(one: Belongs) -> tuple[str, float]:
    sent = one.item.sent.timestamp() if isinstance(one.item, Message) else 0.0
    return one.key, sent
