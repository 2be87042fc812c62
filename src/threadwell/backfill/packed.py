"""Records as they travel through an engine of others: many in one row, as compressed Arrow.

What carries them counts and copies rows, so there are few. What is in a row is between those who
write it and those who read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

#: Records of one row, and about how many bytes of them before they are compressed.
_ROWS, _BYTES = 2000, 1024 * 1024


def pack(batch: pa.RecordBatch) -> bytes:
    """The records of a batch as bytes."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def unpack(content: pa.BinaryScalar) -> pa.RecordBatch:
    """The records that ``pack`` wrote."""
    import pyarrow as pa

    return pa.ipc.open_stream(content.as_buffer()).read_next_batch()


def packed(batch: pa.RecordBatch) -> Iterator[tuple[int, bytes]]:
    """The records of a batch that is in the order of its buckets, which go before them."""
    for bucket, some in _of_buckets(batch.select(["bucket", "group", "place", "content"])):
        most = max(1, min(_ROWS, _BYTES * some.num_rows // max(some.nbytes, 1)))
        for start in range(0, some.num_rows, most):
            yield bucket, pack(some.slice(start, most))


def packed_ids(batch: pa.RecordBatch, parts: int) -> Iterator[tuple[int, bytes]]:
    """The ids of a batch and their groups, each with those of its part of all ids.

    ``parts`` is a power of two.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    part = pc.bit_wise_and(batch.column("id"), pa.scalar(parts - 1, pa.uint64())).cast(pa.int32())
    both = pa.RecordBatch.from_arrays(
        [part, batch.column("id"), batch.column("group")], names=["bucket", "id", "group"]
    )
    for bucket, some in _of_buckets(both.take(pc.array_sort_indices(part))):
        yield bucket, pack(some)


class Moves:
    """Groups that are made elsewhere than where they were sent, as they belong to others."""

    def __init__(self, moves: Mapping[int, int], partitions: int) -> None:
        import pyarrow as pa

        known = sorted(moves)
        self._known = pa.array(known, pa.uint64())
        self._homes = pa.array([moves[one] for one in known], pa.uint64())
        self._there = pa.array([moves[one] % partitions for one in known], pa.int32())

    def of(self, bucket: int, content: pa.BinaryScalar) -> Iterator[tuple[int, bytes]]:
        """What was packed, with the homes of its groups, where these are."""
        import pyarrow as pa
        import pyarrow.compute as pc

        batch = unpack(content)
        at = pc.index_in(batch.column("group"), value_set=self._known)
        stays = pc.is_null(at)
        if pc.all(stays).as_py():
            yield bucket, content.as_py()
            return
        homes = pc.coalesce(self._homes.take(at), batch.column("group"))
        there = pc.coalesce(self._there.take(at), pa.scalar(bucket, pa.int32()))
        columns = [there, homes, batch.column("place"), batch.column("content")]
        names = ["bucket", "group", "place", "content"]
        sent = pa.RecordBatch.from_arrays(columns, names=names)
        for to, some in _of_buckets(sent.take(pc.array_sort_indices(there))):
            yield to, pack(some)


def _of_buckets(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """What is in each bucket, without the first column, which says so and is in order."""
    import pyarrow.compute as pc

    if not batch.num_rows:
        return
    rest = batch.select(batch.schema.names[1:])
    ends = pc.run_end_encode(batch.column(0))
    start = 0
    for bucket, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
        yield bucket, rest.slice(start, end - start)
        start = end
