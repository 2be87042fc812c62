"""What was read, spread over partitions, on disk: Arrow's own files, one for each task.

A file is a row of record batches, each of one partition, so that a partition is read without the
others; which is where tells the note beside the file. The note is written last: a file without one
is what a task has left that came to no end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes of messages that are held before they are written.
_BUFFERED = 32 * 1024 * 1024


class Record(NamedTuple):
    """One item as bytes, and where it belongs: its group, its id, its place in what was read."""

    group: int
    id: int
    place: int
    content: bytes


class Note(msgspec.Struct, frozen=True):
    """What a task has left: in which record batches each partition is, and what it found out.

    ``links`` are groups that belong together. ``ours`` and ``strangers`` are addresses.
    """

    batches: dict[int, list[int]]
    items: int
    links: list[tuple[int, int]] = []
    ours: list[tuple[str, str, str]] = []
    strangers: list[tuple[str, str, str]] = []
    placed: bool = False


class Spool:
    """Writes the file of one task. Raises ``OSError``, which names it, where a disk has no room."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self._path = path
        self._schema = schema()
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, self._schema)
        self._waiting: dict[int, list[Record]] = {}
        self._size = 0
        self._written = 0
        self.batches: dict[int, list[int]] = {}

    def add(self, partition: int, record: Record) -> None:
        """Keep a record for a partition."""
        self._waiting.setdefault(partition, []).append(record)
        self._size += len(record.content) + 32
        if self._size >= _BUFFERED:
            self._flush()

    def close(self) -> None:
        """Write what waits; the file is whole then."""
        self._flush()
        with self._named():
            self._writer.close()
            self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        for partition, records in sorted(self._waiting.items()):
            columns = [list(column) for column in zip(*records, strict=True)]
            batch = pa.record_batch(columns, schema=self._schema)
            with self._named():
                self._writer.write_batch(batch)
            self.batches.setdefault(partition, []).append(self._written)
            self._written += 1
        self._waiting, self._size = {}, 0

    @contextmanager
    def _named(self) -> Iterator[None]:
        # Arrow tells what is wrong, and not with which file.
        try:
            yield
        except OSError as error:
            what = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, what, str(self._path)) from None


def schema() -> pa.Schema:
    """The columns of a record."""
    import pyarrow as pa

    return pa.schema(
        [
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

        self._files = []
        for path in paths:
            note = note_of(path)
            if note is not None and note.items:
                reader = pa.ipc.open_file(pa.memory_map(str(path)))
                self._files.append((note.batches, reader))

    def of(self, partition: int) -> pa.Table:
        """The records of a partition."""
        import pyarrow as pa

        found = [
            reader.get_batch(number)
            for batches, reader in self._files
            for number in batches.get(partition, ())
        ]
        return pa.Table.from_batches(found, schema())

    def every(self) -> Iterator[pa.RecordBatch]:
        """All record batches, one after the other."""
        for _, reader in self._files:
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


def replace(path: Path, content: bytes) -> None:
    """Have a file hold that, or what it held before, whatever happens."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")
