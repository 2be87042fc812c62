"""The groups of a partition out of what was spooled, one after the other.

Of a partition the bytes of its records are in memory once, and as messages those of some groups.
What is in large groups is never all in memory: of each of their records it is known in which record
batch it is, and in which row (some forty bytes).
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


class Groups:
    """The groups of record batches in the order of their homes, as often as they are asked for.

    Those of more than ``most`` bytes have ``Records``. Of the others so many are read at once as
    are worked on together.
    """

    def __init__(
        self, batches: Sequence[pa.RecordBatch], most: int, homes: _Homes | None = None
    ) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._batches = batches
        self._small = self._large = self._contents = None
        if not batches:
            return
        where = pa.concat_tables([_where(*one, homes) for one in enumerate(batches)])
        if sum(batch.column("content").nbytes for batch in batches) > most:
            sizes = where.group_by("group").aggregate([("size", "sum")])
            large = sizes.filter(pc.greater(sizes["size_sum"], most))["group"].combine_chunks()
            if len(large):
                is_large = pc.is_in(where["group"], value_set=large)
                self._large = _sorted(where.filter(is_large))
                where = where.filter(pc.invert(is_large))
        self._contents = _gathered(batches, where)
        self._small = _sorted(where.append_column("at", pa.array(range(len(where)), pa.int64())))

    def __iter__(self) -> Iterator[Group]:
        if self._small is None or self._contents is None:
            return iter(())
        small = _read(self._contents, self._small)
        if self._large is None:
            return small
        return merge(small, _apart(self._batches, self._large), key=attrgetter("home"))


def groups_of(
    spooled: Spooled, partition: int, partitions: int, moves: Mapping[int, int], most: int
) -> Groups:
    """The groups of a partition, with those that have moved here."""
    coming = {group: home for group, home in moves.items() if home % partitions == partition}
    others = sorted({group % partitions for group in coming} - {partition})
    batches = spooled.of(partition)
    own = len(batches)
    for other in others:
        batches += spooled.of(other)
    return Groups(batches, most, _Homes(moves, coming, own) if moves else None)


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


def _gathered(batches: Sequence[pa.RecordBatch], where: pa.Table) -> pa.Array:
    """The contents of the records that are there, in their order."""
    import pyarrow as pa

    found = []
    for number, start, count in _runs(where["batch"]):
        content = batches[number].column("content")
        if count < len(content):
            content = content.take(where["row"].slice(start, count).combine_chunks())
        found.append(content)
    return pa.concat_arrays(found) if found else pa.array([], pa.large_binary())


def _read(contents: pa.Array, ordered: pa.Table) -> Iterator[Group]:
    """The groups of records whose contents are at hand, some read at once."""
    at = ordered["at"].combine_chunks()
    read: list[bytes] = []
    begins = 0
    for home, start, count in _runs(ordered["group"]):
        if start + count > begins + len(read):
            begins = start
            read = contents.take(at.slice(start, max(count, _AT_ONCE))).to_pylist()
        yield Group(home, read[start - begins : start - begins + count])


def _apart(batches: Sequence[pa.RecordBatch], ordered: pa.Table) -> Iterator[Group]:
    for home, start, count in _runs(ordered["group"]):
        yield Group(home, Records(batches, ordered.slice(start, count)))


def _sorted(table: pa.Table) -> pa.Table:
    return table.sort_by([("group", "ascending"), ("place", "ascending")])


def _runs(column: pa.ChunkedArray) -> Iterable[tuple[int, int, int]]:
    """Each value with where its run begins, and how long that is."""
    import pyarrow.compute as pc

    ends = pc.run_end_encode(column.combine_chunks())
    start = 0
    for value, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
        yield value, start, end - start
        start = end
