"""A backfill on a cluster, by Apache Spark: it spreads the work, and Python does the import's.

People go to every worker as a broadcast. Units are read in ``mapInArrow``; what belongs together
comes together by Spark's shuffle, and is made by the same functions as on one machine. The folder
that is filled has to be one that every worker reaches.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from threadwell.backfill.basis import Basis
from threadwell.backfill.folder import Folder, Plan
from threadwell.backfill.grouping import Groups
from threadwell.backfill.joining import Joined
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

_ITEM, _NOTE = 0, 1
_ROWS = "kind int, bucket int, `group` bigint, id bigint, place bigint, content binary"
_MADE = "bucket int, made boolean"
_UNSIGNED = 2**64

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
    moves = _joined(rows, notes).moves()
    there = _homes(spark, rows, moves, plan.partitions)
    there = there.repartitionById(plan.partitions, "bucket")
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
        user = os.getuid() if hasattr(os, "getuid") else 0
        folder = Path(tempfile.gettempdir(), f"threadwell-people-{user}-{os.getpid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{self.digest}.db"
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_bytes(self.people.value)
            fresh.replace(path)
        return self.opened(path)


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
    tasks = plan.tasks()
    for batch in batches:
        for number in batch.column("id").to_pylist():
            with tempfile.TemporaryDirectory(prefix="threadwell-") as folder:
                target = Path(folder, "unit.arrow")
                read_units(basis, plan, tasks[number], target)
                yield from _spooled(target)


def _spooled(target: Path) -> Iterator[pa.RecordBatch]:
    note = note_of(target)
    assert note is not None
    for batch in Spooled([target]).every():
        numbers = [batch.column(name).view("int64") for name in ("group", "id", "place")]
        content = batch.column("content").cast("binary")
        yield _batch([_ITEM] * batch.num_rows, batch.column("bucket"), *numbers, content)
    yield _batch([_NOTE], [0], [0], [0], [0], [msgspec.json.encode(note)])


def _batch(*columns: Any) -> pa.RecordBatch:
    import pyarrow as pa

    types = (pa.int32(), pa.int32(), pa.int64(), pa.int64(), pa.int64(), pa.binary())
    names = ("kind", "bucket", "group", "id", "place", "content")
    arrays = [
        one if isinstance(one, pa.Array) else pa.array(one, type_)
        for one, type_ in zip(columns, types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def _notes(rows: Any) -> list[Note]:
    found = rows.where(f"kind = {_NOTE}").select("content").collect()
    return [msgspec.json.decode(bytes(one["content"]), type=Note) for one in found]


def _joined(rows: Any, notes: Iterable[Note]) -> Joined:
    """Groups that are linked, and those in which messages have one id."""
    from pyspark.sql import functions

    joined = Joined()
    for note in notes:
        for one, other in note.links:
            joined.join(one, other)
    items = rows.where(f"kind = {_ITEM}")
    low, high = functions.min("group").alias("low"), functions.max("group").alias("high")
    ends = items.groupBy("id").agg(low, high).where("low <> high").select("id")
    found: dict[int, int] = {}
    for one in items.join(ends, "id").select("id", "group").distinct().collect():
        group = one["group"] % _UNSIGNED
        first = found.setdefault(one["id"], group)
        if first != group:
            joined.join(first, group)
    return joined


def _homes(spark: Any, rows: Any, moves: dict[int, int], partitions: int) -> Any:
    """The items, those of groups that have another home with it and its partition."""
    from pyspark.sql import functions

    items = rows.where(f"kind = {_ITEM}").select("bucket", "group", "place", "content")
    if not moves:
        return items
    told_of = [(_signed(one), _signed(home), home % partitions) for one, home in moves.items()]
    moved = spark.createDataFrame(told_of, "`group` bigint, home bigint, there int")
    both = items.join(functions.broadcast(moved), "group", "left")
    return both.select(
        functions.coalesce("there", "bucket").alias("bucket"),
        functions.coalesce("home", "group").alias("group"),
        "place",
        "content",
    )


def _make(making: Making, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Make one partition, if it has anything, and say whether that was necessary.

    What Spark hands over is written to a local disk first: memory does not grow with it.
    """
    import pyarrow as pa

    with tempfile.TemporaryDirectory(prefix="threadwell-") as folder:
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

    number, names = None, ["group", "place", "content"]
    form = pa.schema([("group", pa.int64()), ("place", pa.int64()), ("content", pa.large_binary())])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, form) as writer:
        for batch in batches:
            if batch.num_rows:
                number = batch.column("bucket")[0].as_py()
                writer.write_batch(batch.select(names).cast(form))
    return number


def _signed(number: int) -> int:
    return number - _UNSIGNED if number >= _UNSIGNED // 2 else number
