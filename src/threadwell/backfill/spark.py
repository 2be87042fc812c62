"""A backfill on a cluster, by Apache Spark: it spreads the work, and Python does the import's.

People go to every worker as a broadcast. Units are read in ``mapInArrow``; what belongs together
comes together by Spark's shuffle, many records in a row, and is made by the same functions as on
one machine. The folder
that is filled has to be one that every worker reaches.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from threadwell.backfill.basis import Basis
from threadwell.backfill.folder import Folder, Plan
from threadwell.backfill.grouping import Groups
from threadwell.backfill.joining import Joined, pairs_of
from threadwell.backfill.packed import Moves, packed, packed_ids, unpack
from threadwell.backfill.spool import Note, Spooled, note_of
from threadwell.backfill.spreading import told
from threadwell.backfill.working import (
    Filled,
    Making,
    end,
    is_known,
    learned_from,
    make_of,
    mark_of,
    most_at_once,
    read_units,
    torn_of,
)
from threadwell.stores.contract import Store

if TYPE_CHECKING:
    import pyarrow as pa

_ITEMS, _IDS, _NOTE = 0, 1, 2
_ROWS = "kind int, bucket int, content binary"
_SENT, _LINKS, _MADE = "bucket int, content binary", "links binary", "bucket int, made boolean"
#: Partitions of messages for each part of their ids, which are a fiftieth of it.
_PARTS = 4

_Links = list[tuple[int, int]]
Opened = Callable[[Path], AbstractAsyncContextManager[Store]]


def fill(spark: Any, basis: Basis, folder: Folder, plan: Plan, opened: Opened) -> Filled:
    """Make what comes of a plan, on the cluster of a session (``pyspark.sql.SparkSession``).

    ``opened`` opens the people at a path. What was made before of the same input stays.
    """
    folder.put_plan(plan)
    folder.put_partitions(plan.partitions)
    while True:
        rows = _rows(spark, _sent(spark, basis, folder, opened), plan)
        notes = _notes(rows)
        if torn := torn_of(notes):
            rows.unpersist()
            plan = plan.mended(torn, len(plan.units))
            continue
        learned = learned_from(notes)
        if is_known(basis, learned, plan):
            break
        rows.unpersist()
        plan = msgspec.structs.replace(plan, ours=told(learned.ours), round=plan.round + 1)
    mark = mark_of(basis, learned, plan)
    sent = _sent(spark, basis, folder, opened)
    making = Making(sent, folder, plan, mark, {}, most_at_once(basis))
    moves = _joined(rows, notes, plan).moves()
    there = _homes(rows, moves, plan).repartitionById(plan.partitions, "bucket")
    found = there.mapInArrow(partial(_make, making), _MADE).collect()
    fresh = sum(one["made"] for one in found)
    here = replace(making, basis=basis)
    for number in set(range(plan.partitions)) - {one["bucket"] for one in found}:
        if folder.part(number) is not None:
            make_of(here, number, Groups((), here.most))
    rows.unpersist()
    return end(basis, folder, plan, fresh)


@dataclass(frozen=True, slots=True)
class _Sent:
    """Opens people who were sent to this process: they are written once to its machine's disk."""

    people: Any
    digest: str
    opened: Opened

    def __call__(self) -> AbstractAsyncContextManager[Store]:
        path = _local() / f"threadwell-people-{self.digest}.db"
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix="threadwell-") as fresh:
                fresh.write(self.people.value)
                fresh.flush()
                # Another process may have been first, and have it open.
                with suppress(FileExistsError):
                    path.hardlink_to(fresh.name)
        return self.opened(path)


@cache
def _local() -> Path:
    """A folder on this machine's disk, for what nobody may see and nobody needs afterwards.

    It is the executor's own, which removes it at its end: a process of Python is not asked when it
    is to end.
    """
    for name in os.environ.get("SPARK_LOCAL_DIRS", "").split(","):
        if name and Path(name).is_dir():
            return Path(name)
    folder = Path(tempfile.mkdtemp(prefix="threadwell-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sent(spark: Any, basis: Basis, folder: Folder, opened: Opened) -> Basis:
    """The same for a worker; one that fills a store opens that itself."""
    if basis.store:
        return basis
    content = folder.people.read_bytes()
    digest = blake2b(content, digest_size=16).hexdigest()
    people = spark.sparkContext.broadcast(content)
    return replace(basis, open=_Sent(people, digest, opened))


def _rows(spark: Any, basis: Basis, plan: Plan) -> Any:
    """What is read, spread; it stays on the workers' disks."""
    from pyspark import StorageLevel

    count = len(plan.tasks())
    units = spark.range(0, count, 1, max(count, 1))
    return units.mapInArrow(partial(_read, basis, plan), _ROWS).persist(StorageLevel.DISK_ONLY)


def _read(basis: Basis, plan: Plan, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    tasks, parts = plan.tasks(), _parts(plan)
    for batch in batches:
        for number in batch.column("id").to_pylist():
            with tempfile.TemporaryDirectory(prefix="threadwell-", dir=_local()) as folder:
                target = Path(folder, "unit.arrow")
                read_units(basis, plan, tasks[number], target)
                yield from _spooled(target, parts)


def _spooled(target: Path, parts: int) -> Iterator[pa.RecordBatch]:
    note = note_of(target)
    assert note is not None
    for batch in Spooled([target]).every():
        yield _batch(_ITEMS, packed(batch))
        yield _batch(_IDS, packed_ids(batch, parts))
    yield _batch(_NOTE, [(0, msgspec.json.encode(note))])


def _batch(kind: int, rows: Iterable[tuple[int, bytes]]) -> pa.RecordBatch:
    import pyarrow as pa

    sent = _sent_of(rows)
    kinds = pa.array([kind] * sent.num_rows, pa.int32())
    return pa.RecordBatch.from_arrays([kinds, *sent.columns], names=["kind", *sent.schema.names])


def _sent_of(rows: Iterable[tuple[int, bytes]]) -> pa.RecordBatch:
    import pyarrow as pa

    all_of = list(rows)
    buckets = pa.array([bucket for bucket, _ in all_of], pa.int32())
    contents = pa.array([content for _, content in all_of], pa.binary())
    return pa.RecordBatch.from_arrays([buckets, contents], names=["bucket", "content"])


def _parts(plan: Plan) -> int:
    """In how many parts the ids of all messages are compared: a power of two."""
    parts = 1
    while parts * 2 * _PARTS <= plan.partitions:
        parts *= 2
    return parts


def _notes(rows: Any) -> list[Note]:
    found = rows.where(f"kind = {_NOTE}").select("content").collect()
    return [msgspec.json.decode(bytes(one["content"]), type=Note) for one in found]


def _joined(rows: Any, notes: Iterable[Note], plan: Plan) -> Joined:
    """Groups that are linked, and those in which messages have one id."""
    ids = rows.where(f"kind = {_IDS}").select("bucket", "content")
    parts = ids.repartitionById(_parts(plan), "bucket").mapInArrow(_of_one_id, _LINKS)
    found = [msgspec.json.decode(bytes(one["links"]), type=_Links) for one in parts.collect()]
    return Joined.of(chain((link for note in notes for link in note.links), *found))


def _of_one_id(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Compare the ids of one part."""
    import pyarrow as pa

    contents = (one for batch in batches for one in batch.column("content"))
    found = pairs_of([pa.Table.from_batches([unpack(one)]) for one in contents])
    links = pa.array([msgspec.json.encode(found)], pa.binary())
    yield pa.RecordBatch.from_arrays([links], names=["links"])


def _homes(rows: Any, moves: dict[int, int], plan: Plan) -> Any:
    """The items, those of groups that have another home with it and its partition."""
    items = rows.where(f"kind = {_ITEMS}").select("bucket", "content")
    if not moves:
        return items
    return items.mapInArrow(partial(_moved, moves, plan.partitions), _SENT)


def _moved(
    moves: dict[int, int], partitions: int, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    every = Moves(moves, partitions)
    for batch in batches:
        both = zip(batch.column("bucket").to_pylist(), batch.column("content"), strict=True)
        yield _sent_of(chain.from_iterable(every.of(*one) for one in both))


def _make(making: Making, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Make one partition, if it has anything, and say whether that was necessary.

    What Spark hands over is written to a local disk first: memory does not grow with it.
    """
    import pyarrow as pa

    with tempfile.TemporaryDirectory(prefix="threadwell-", dir=_local()) as folder:
        path = Path(folder, "part.arrow")
        number = _written(path, batches)
        if number is not None:
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            there = [reader.get_batch(one) for one in range(reader.num_record_batches)]
            fresh = make_of(making, number, Groups(there, making.most))
            columns = [pa.array([number], pa.int32()), pa.array([fresh])]
            yield pa.RecordBatch.from_arrays(columns, names=["bucket", "made"])


def _written(path: Path, batches: Iterable[pa.RecordBatch]) -> int | None:
    """Write the records of one partition; which one that is, ``None`` if there are none."""
    import pyarrow as pa

    number = None
    with pa.OSFile(str(path), "wb") as file, ExitStack() as ending:
        writer: Any = None
        for batch in batches:
            for bucket, content in zip(*batch.select(["bucket", "content"]), strict=True):
                some = unpack(content)
                writer = writer or ending.enter_context(pa.ipc.new_file(file, some.schema))
                writer.write_batch(some)
                number = bucket.as_py()
    return number
