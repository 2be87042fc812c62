"""How much is done at once: parts by memory, small files together, packed ones by their text."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from threadwell.backfill.basis import Unit
from threadwell.backfill.folder import Plan
from threadwell.backfill.room import read_size, room_for

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("memory", "workers", "partition", "of_a_gigabyte"),
    [
        # What is left to each process beside its own 80 MB, by 16.
        (768 * MB, 2, 8 * MB, 128),
        (384 * MB, 2, 3 * MB, 341),
        # There is always something to work with.
        (64 * MB, 8, 1 * MB, 1024),
        (64 * 1024 * MB, 8, 8 * MB, 128),
    ],
)
def test_parts_are_as_large_as_the_memory_allows(memory, workers, partition, of_a_gigabyte):
    room = room_for(memory, workers)
    assert room.partition == partition
    assert room.partitions(1024 * MB, 4) == of_a_gigabyte
    assert room.partitions(10, 4) == 4
    assert room.partitions(2**50, 4) == 4096
    assert 16 * MB <= room.group < memory
    assert room.buffered == min(room.group // 8, 16 * MB)


def test_small_units_are_read_by_one_task():
    units = [
        *(Unit(f"{number}.csv", size=3 * MB) for number in range(3)),
        *(Unit("large.csv", stripe=stripe, stripes=2, size=5 * MB) for stripe in range(2)),
        Unit("empty.csv"),
        Unit("huge.mbox", size=2**40),
        Unit("last.csv", size=1),
    ]
    found = [list(one) for one in Plan("", "", units, 1).tasks()]
    assert found == [[0, 1], [2], [3], [4, 5], [6], [7]]
    assert Plan("", "", [], 1).tasks() == []


def test_what_is_packed_counts_as_what_comes_of_it(tmp_path: Path):
    plain, packed, parquet = (tmp_path / f"x.{end}" for end in ("csv", "csv.gz", "parquet"))
    plain.write_bytes(b"id,sent,from,text\n" * 100)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    pq.write_table(pa.table({"sent": ["2024"] * 10_000, "from": ["a"] * 10_000}), parquet)
    assert read_size(plain) == 1800
    assert read_size(packed) == 8 * packed.stat().st_size
    assert read_size(parquet) == 2_500_000
    assert read_size(tmp_path) == sum(one.stat().st_size for one in tmp_path.iterdir())
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    assert read_size(tmp_path / "cut.parquet") == 16
