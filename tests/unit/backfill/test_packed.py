"""Records that travel many in a row arrive as they were, each where it belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pytest

from threadwell.backfill.joining import pairs_of
from threadwell.backfill.packed import Moves, pack, packed, packed_ids, unpack
from threadwell.backfill.spool import schema

PARTITIONS = 5
#: Groups up to the largest number that there is, as 64 bits without a sign.
GROUPS = [3, 8, 2**63 + 1, 2**64 - 1, 3, 12, 8]


def batch_of(groups: list[int], content: bytes = b"m") -> pa.RecordBatch:
    """Records in the order of their partitions, as they are spooled; the id is the group's half."""
    rows = sorted((group % PARTITIONS, group, group // 2, at) for at, group in enumerate(groups))
    columns = [*map(list, zip(*rows, strict=True)), [content + b"%d" % row[3] for row in rows]]
    return pa.RecordBatch.from_arrays(
        [pa.array(one, field.type) for one, field in zip(columns, schema(), strict=True)],
        schema=schema(),
    )


def arrived(rows: Iterable[tuple[int, bytes]]) -> Counter[tuple[int, ...]]:
    """Bucket, group, place and content of every record."""
    return Counter(
        (bucket, *record.values())
        for bucket, content in rows
        for record in unpack(pa.scalar(content)).to_pylist()
    )


def test_each_record_arrives_once_in_its_partition() -> None:
    batch = batch_of(GROUPS)
    columns = batch.select(["bucket", "group", "place", "content"]).to_pylist()
    assert arrived(packed(batch)) == Counter(tuple(one.values()) for one in columns)


@pytest.mark.parametrize(
    ("count", "content", "rows"),
    [(4500, b"short", 3), (6, b"x" * 400_000, 3), (2, b"x" * 3_000_000, 2)],
)
def test_a_row_has_a_bounded_part_of_them(count: int, content: bytes, rows: int) -> None:
    found = list(packed(batch_of([5] * count, content)))
    assert (len(found), sum(arrived(found).values())) == (rows, count)


def test_ids_are_compared_by_whoever_has_all_of_their_part() -> None:
    # 12 and 13 have one id in two groups, and so have 2**63 and the next one.
    groups = [3, 12, 13, 3, 2**63, 2**63 + 1, 2**64 - 1]
    batches = [batch_of(groups[:4]), batch_of(groups[4:]), batch_of([5]).slice(1)]
    parts: dict[int, list[pa.Table]] = {}
    for batch in batches:
        for part, content in packed_ids(batch, 4):
            some = unpack(pa.scalar(content))
            assert {one % 4 for one in some["id"].to_pylist()} == {part}
            parts.setdefault(part, []).append(pa.Table.from_batches([some]))
    found = sorted(sorted(pair) for tables in parts.values() for pair in pairs_of(tables))
    assert found == [[12, 13], [2**63, 2**63 + 1]]
    assert pairs_of([]) == []


def test_what_belongs_to_another_group_goes_where_that_is_made() -> None:
    moves = {8: 3, 2**64 - 1: 2, 99: 1}
    every = Moves(moves, PARTITIONS)
    sent = [
        row
        for bucket, content in packed(batch_of(GROUPS))
        for row in every.of(bucket, pa.scalar(content))
    ]
    expected: Counter[tuple[int, ...]] = Counter()
    for record in batch_of(GROUPS).to_pylist():
        home = moves.get(record["group"], record["group"])
        expected[home % PARTITIONS, home, record["place"], record["content"]] += 1
    assert arrived(sent) == expected


def test_what_stays_is_not_packed_anew() -> None:
    content = pack(batch_of([5, 10]).select(["group", "place", "content"]))
    assert list(Moves({7: 1}, PARTITIONS).of(0, pa.scalar(content))) == [(0, content)]
