"""The groups of a partition out of what was spooled: small ones read at once, large ones as asked.

What of a partition is in large groups is never all in memory: of each of their records it is known
in which record batch it is, and in which row (some forty bytes).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from threadwell.backfill.spool import Spooled

if TYPE_CHECKING:
    import pyarrow as pa

#: Records of a large group that are read at once.
_AT_ONCE = 1000


class Group(NamedTuple):
    """All of what belongs together, as it was spooled, in the order in which it was read."""

    home: int
    contents: Collection[bytes]


class Records:
    """The records of a large group: what is asked for is read."""

    def __init__(self, batches: Sequence[pa.RecordBatch], where: pa.Table) -> None:
        self._contents = [batch.column("content") for batch in batches]
        self._where = where

    def __len__(self) -> int:
        return int(self._where.num_rows)

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self._read(self._where.slice(start, _AT_ONCE))

    def __contains__(self, content: object) -> bool:
        return any(one == content for one in self)

    def some(self, numbers: pa.Array) -> list[bytes]:
        """The records of those numbers, in that order."""
        return list(self._read(self._where.take(numbers)))

    def _read(self, where: pa.Table) -> Iterator[bytes]:
        pairs = zip(where["batch"].to_pylist(), where["row"].to_pylist(), strict=True)
        for batch, row in pairs:
            yield self._contents[batch][row].as_py()


def groups_of(
    spooled: Spooled, partition: int, partitions: int, moves: Mapping[int, int], most: int
) -> Iterator[Group]:
    """The groups of a partition, with those that have moved here, in the order of their homes.

    Those of more than ``most`` bytes have ``Records``.
    """
    coming = {group: home for group, home in moves.items() if home % partitions == partition}
    others = sorted({group % partitions for group in coming} - {partition})
    batches = spooled.of(partition).to_batches()
    own = len(batches)
    for other in others:
        batches += spooled.of(other).to_batches()
    if moves:
        return in_groups(batches, most, _Homes(moves, coming, own))
    return in_groups(batches, most)


def in_groups(
    batches: Sequence[pa.RecordBatch], most: int, homes: _Homes | None = None
) -> Iterator[Group]:
    """The groups of record batches; with ``homes`` some go with others, or are elsewhere."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not batches:
        return iter(())
    if homes is None and sum(batch.column("content").nbytes for batch in batches) <= most:
        return _read(pa.Table.from_batches(batches).select(["group", "place", "content"]))
    where = pa.concat_tables([_where(number, batch, homes) for number, batch in enumerate(batches)])
    sizes = where.group_by("group").aggregate([("size", "sum")])
    large = sizes.filter(pc.greater(sizes["size_sum"], most))["group"].combine_chunks()
    is_large = pc.is_in(where["group"], value_set=large)
    small = _gathered(batches, where.filter(pc.invert(is_large)))
    if not len(large):
        return _read(small)
    return merge(_read(small), _apart(batches, where.filter(is_large)), key=attrgetter("home"))


class _Homes:
    """Where groups are: those that are ``own`` batches' but for what has moved, and what comes."""

    def __init__(self, moves: Mapping[int, int], coming: Mapping[int, int], own: int) -> None:
        import pyarrow as pa

        known = sorted(coming)
        self._own = own
        self._gone = pa.array(sorted(moves.keys() - coming.keys()), pa.uint64())
        self._known = pa.array(known, pa.uint64())
        self._homes = pa.array([coming[one] for one in known], pa.uint64())

    def of(self, number: int, groups: pa.Array) -> tuple[pa.Array, pa.Array]:
        """The homes of the groups of a batch, and which of them are here."""
        import pyarrow.compute as pc

        at = pc.index_in(groups, value_set=self._known)
        here = pc.is_valid(at)
        if number < self._own:
            here = pc.invert(pc.is_in(groups, value_set=self._gone))
        return pc.coalesce(self._homes.take(at), groups), here


def _where(number: int, batch: pa.RecordBatch, homes: _Homes | None) -> pa.Table:
    """Of each record of a batch: its group, its place, its size, and where it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    groups, here = batch.column("group"), None
    if homes is not None:
        groups, here = homes.of(number, groups)
    found = pa.table(
        {
            "group": groups,
            "place": batch.column("place"),
            "size": pc.binary_length(batch.column("content")).cast(pa.int64()),
            "batch": pa.repeat(pa.scalar(number, pa.int32()), batch.num_rows),
            "row": pa.array(range(batch.num_rows), pa.int32()),
        }
    )
    return found if here is None else found.filter(here)


def _gathered(batches: Sequence[pa.RecordBatch], where: pa.Table) -> pa.Table:
    """The records that are there, each with its group and place."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = []
    for number, batch in enumerate(batches):
        mine = where.filter(pc.equal(where["batch"], number))
        content = batch.column("content").take(mine["row"].combine_chunks())
        tables.append(
            pa.table({"group": mine["group"], "place": mine["place"], "content": content})
        )
    return pa.concat_tables(tables)


def _read(table: pa.Table) -> Iterator[Group]:
    """The groups of a table, read."""
    ordered = _sorted(table)
    contents = ordered["content"]
    for home, start, count in _runs(ordered):
        yield Group(home, contents.slice(start, count).to_pylist())


def _apart(batches: Sequence[pa.RecordBatch], where: pa.Table) -> Iterator[Group]:
    ordered = _sorted(where)
    for home, start, count in _runs(ordered):
        yield Group(home, Records(batches, ordered.slice(start, count)))


def _sorted(table: pa.Table) -> pa.Table:
    return table.sort_by([("group", "ascending"), ("place", "ascending")])


def _runs(ordered: pa.Table) -> Iterable[tuple[int, int, int]]:
    """Each group with where it begins, and how many records it has."""
    import pyarrow.compute as pc

    groups = ordered["group"].combine_chunks()
    ends = pc.run_end_encode(groups)
    start = 0
    for home, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
        yield home, start, end - start
        start = end
