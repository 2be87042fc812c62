"""Makes what comes of one partition: the import's work over each of its circles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from hashlib import blake2b

from threadwell.backfill.grouping import Group, Records
from threadwell.backfill.records import decode
from threadwell.backfill.stretches import made_in_stretches
from threadwell.intake.commits.batch import Batch
from threadwell.intake.settings import Settings
from threadwell.intake.whole import Item, Whole

#: Messages that are worked on together, unless a circle has more.
TOGETHER = 2000
#: What belongs together may have that share of the memory before it is made.
_SHARE = 8


async def made(whole: Whole, groups: Iterable[Group], most: int) -> AsyncIterator[Batch]:
    """What comes of groups, several at a time; of large ones in stretches of ``most`` bytes."""
    items: list[Item] = []
    for group in groups:
        if isinstance(group.contents, Records):
            async for batch in made_in_stretches(whole, group.contents, most):
                yield batch
            continue
        items += map(decode, group.contents)
        if len(items) >= TOGETHER:
            yield await whole.take(items)
            items = []
    if items:
        yield await whole.take(items)


def most_of(settings: Settings) -> int:
    """How many bytes a group may have to be made at once: it takes some ten times as much."""
    return max(1, settings.memory // _SHARE)


def digest_of(groups: Iterable[Group], basis: bytes) -> str:
    """What tells one input of a partition from another."""
    digest = blake2b(basis, digest_size=16)
    for group in groups:
        for content in group.contents:
            digest.update(len(content).to_bytes(8, "big"))
            digest.update(content)
    return digest.hexdigest()
