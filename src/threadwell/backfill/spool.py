"""What was read, spread over partitions, on disk: Arrow's own files, one for each task.

The rows of each record batch are in the order of their partitions, so that a partition is read
without the others. The note beside the file is written last: a file without one is what a task has
left that came to no end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from threadwell.bulk.replacing import named, replace

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes of messages that are held before they are written, if nobody says; and how many of them
#: are held for each partition at least, so that a partition is not torn into crumbs.
BUFFERED, _CRUMB = 16 * 1024 * 1024, 16 * 1024


class Note(msgspec.Struct, frozen=True):
    """What a task has left: how many items, and what it found out.

    ``links`` are groups that belong together. ``ours`` and ``strangers`` are addresses. ``spans``
    tells whether spans were read. Where one is not what it was thought to be, ``torn`` is its file,
    and nothing else is told.
    """

    items: int
    links: list[tuple[int, int]] = []
    ours: list[tuple[str, str, str]] = []
    strangers: list[tuple[str, str, str]] = []
    placed: bool = False
    spans: bool = False
    torn: str = ""


class Spool:
    """Writes the file of one task. Raises ``OSError``, which names it, where a disk has no room.

    About ``buffered`` bytes of messages are held before they are written.
    """

    def __init__(self, path: Path, partitions: int, buffered: int = BUFFERED) -> None:
        import pyarrow as pa

        self._path = path
        self._partitions = partitions
        self._buffered = max(buffered, partitions * _CRUMB)
        self._schema = schema()
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, self._schema)
        self._groups, self._ids, self._places = array("Q"), array("Q"), array("Q")
        self._contents: list[bytes] = []
        self._size = 0

    def add(self, group: int, id_: int, place: int, content: bytes) -> None:
        """Keep one item as bytes, and where it belongs: group, id, place in what was read."""
        self._groups.append(group)
        self._ids.append(id_)
        self._places.append(place)
        self._contents.append(content)
        self._size += len(content) + 28
        if self._size >= self._buffered:
            self._flush()

    def close(self) -> None:
        """Write what waits; the file is whole then."""
        self._flush()
        with named(self._path):
            self._writer.close()
            self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._contents:
            return
        buckets = array("i", [group % self._partitions for group in self._groups])
        columns = [
            _column(pa.int32(), buckets),
            *(_column(pa.uint64(), one) for one in (self._groups, self._ids, self._places)),
            pa.array(self._contents, pa.large_binary()),
        ]
        self._groups, self._ids, self._places = array("Q"), array("Q"), array("Q")
        self._contents, self._size = [], 0
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        if self._partitions > 1:
            batch = batch.take(pc.array_sort_indices(batch.column("bucket")))
        with named(self._path):
            self._writer.write_batch(batch)


def _column(type_: pa.DataType, values: array[int]) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(values)])


def schema() -> pa.Schema:
    """The columns of a record; ``bucket`` is its partition."""
    import pyarrow as pa

    return pa.schema(
        [
            ("bucket", pa.int32()),
            ("group", pa.uint64()),
            ("id", pa.uint64()),
            ("place", pa.uint64()),
            ("content", pa.large_binary()),
        ]
    )


def put_note(path: Path, note: Note) -> None:
    """Write the note of a file: what it tells is there from then on."""
    replace(_note(path), msgspec.json.encode(note))


def note_of(path: Path) -> Note | None:
    """The note of a file; ``None`` where its task has not come to its end."""
    try:
        return msgspec.json.decode(_note(path).read_bytes(), type=Note)
    except FileNotFoundError:
        return None


class Spooled:
    """Files of tasks, read by partition. They are mapped: what is not asked for is not read."""

    def __init__(self, paths: Iterable[Path]) -> None:
        import pyarrow as pa

        self._batches: list[pa.RecordBatch] = []
        for path in paths:
            note = note_of(path)
            if note is not None and note.items:
                reader = pa.ipc.open_file(pa.memory_map(str(path)))
                self._batches += map(reader.get_batch, range(reader.num_record_batches))
        self._buckets = [
            memoryview(one.column("bucket").buffers()[1]).cast("i")[: one.num_rows]
            for one in self._batches
        ]

    def of(self, partition: int) -> list[pa.RecordBatch]:
        """The records of a partition."""
        found = []
        for batch, buckets in zip(self._batches, self._buckets, strict=True):
            start = bisect_left(buckets, partition)
            end = bisect_left(buckets, partition + 1, start)
            if start < end:
                found.append(batch.slice(start, end - start))
        return found

    def every(self) -> Iterator[pa.RecordBatch]:
        """All record batches, one after the other."""
        yield from self._batches


def _note(path: Path) -> Path:
    return path.with_suffix(".json")
