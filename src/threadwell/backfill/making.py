"""Makes what comes of one partition: the import's work over each of its circles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from threadwell.backfill.records import decode
from threadwell.backfill.spool import Spooled
from threadwell.intake.commits.batch import Batch
from threadwell.intake.whole import Item, Whole

if TYPE_CHECKING:
    import pyarrow as pa

#: Messages that are worked on together, unless a circle has more.
TOGETHER = 2000


class Group(NamedTuple):
    """All of what belongs together, as it was spooled."""

    home: int
    contents: Sequence[bytes]


def groups_of(
    spooled: Spooled, partition: int, partitions: int, moves: Mapping[int, int]
) -> Iterator[Group]:
    """The groups of a partition, with those that have moved here, each in the order it was read."""
    here = _without(spooled.of(partition), moves)
    coming = {group: home for group, home in moves.items() if home % partitions == partition}
    others = sorted({group % partitions for group in coming})
    yield from in_groups(_concat([here, *(_moved(spooled.of(one), coming) for one in others)]))


def in_groups(table: pa.Table) -> Iterator[Group]:
    """The groups of a table, each in the order in which it was read."""
    ordered = table.sort_by([("group", "ascending"), ("place", "ascending")])
    homes = ordered["group"].to_pylist()
    contents = ordered["content"]
    start = 0
    while start < len(homes):
        end = start
        while end < len(homes) and homes[end] == homes[start]:
            end += 1
        yield Group(homes[start], contents.slice(start, end - start).to_pylist())
        start = end


async def made(whole: Whole, groups: Iterable[Group]) -> AsyncIterator[Batch]:
    """What comes of groups, several of them at a time."""
    for items in together(groups):
        yield await whole.take(items)


def together(groups: Iterable[Group]) -> Iterator[list[Item]]:
    """The messages of groups, several groups at a time, none of them in parts."""
    items: list[Item] = []
    for group in groups:
        items += map(decode, group.contents)
        if len(items) >= TOGETHER:
            yield items
            items = []
    if items:
        yield items


def digest_of(groups: Iterable[Group], basis: bytes) -> str:
    """What tells one input of a partition from another."""
    digest = blake2b(basis, digest_size=16)
    for group in groups:
        for content in group.contents:
            digest.update(len(content).to_bytes(8, "big"))
            digest.update(content)
    return digest.hexdigest()


def _without(table: pa.Table, moves: Mapping[int, int]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not moves:
        return table
    gone = pa.array(sorted(moves), pa.uint64())
    return table.filter(pc.invert(pc.is_in(table["group"], value_set=gone)))


def _moved(table: pa.Table, coming: Mapping[int, int]) -> pa.Table:
    """The records of a partition whose group has its home elsewhere, with that as their group."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(sorted(coming), pa.uint64())
    homes = pa.array([coming[one] for one in sorted(coming)], pa.uint64())
    found = table.filter(pc.is_in(table["group"], value_set=known))
    at = pc.index_in(found["group"], value_set=known)
    return found.set_column(0, "group", homes.take(at.combine_chunks()))


def _concat(tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables)
