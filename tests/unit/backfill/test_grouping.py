"""Groups out of record batches: whole, in order; large ones are not read before it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwell.backfill.grouping import Groups, Records, groups_of
from threadwell.backfill.spool import Note, Spool, Spooled, put_note

#: Of two tasks: group, place, and how many bytes it has.
ROWS = (
    [(4, 0, 10), (6, 1, 10), (4, 2, 10), (9, 3, 10), (5, 4, 10)],
    [(6, 10, 10), (4, 11, 99), (9, 12, 99), (5, 13, 10), (8, 14, 10)],
)
PARTITIONS = 2


def spooled(folder: Path) -> Spooled:
    paths = []
    for task, rows in enumerate(ROWS):
        path = folder / f"{task}.arrow"
        spool = Spool(path, PARTITIONS)
        for group, place, size in rows:
            content = f"{group}-{place}".encode().ljust(size, b".")
            spool.add(group, place, place, content)
        spool.close()
        put_note(path, Note(len(rows)))
        paths.append(path)
    return Spooled(paths)


def expected(partition: int, moves: dict[int, int]) -> list[tuple[int, list[bytes]]]:
    out: dict[int, list[bytes]] = {}
    for group, place, size in sorted(
        (one for rows in ROWS for one in rows), key=lambda one: one[1]
    ):
        home = moves.get(group, group)
        if home % PARTITIONS == partition:
            out.setdefault(home, []).append(f"{group}-{place}".encode().ljust(size, b"."))
    return sorted(out.items())


@pytest.mark.parametrize("moves", [{}, {9: 4}, {6: 4, 8: 5}, {9: 5, 8: 4}])
@pytest.mark.parametrize(("most", "large"), [(10_000, False), (50, True), (1, True)])
def test_every_group_is_there_once_and_whole(tmp_path, moves, most, large):
    there = spooled(tmp_path)
    found_large = []
    for partition in range(PARTITIONS):
        groups = list(groups_of(there, partition, PARTITIONS, moves, most))
        assert [(one.home, list(one.contents)) for one in groups] == expected(partition, moves)
        for one in groups:
            is_large = sum(map(len, one.contents)) > most
            assert isinstance(one.contents, Records) == is_large
            found_large.append(is_large)
    assert any(found_large) == large


def test_records_are_read_as_asked(tmp_path):
    import pyarrow as pa

    groups = list(groups_of(spooled(tmp_path), 0, PARTITIONS, {}, 50))
    records = next(one.contents for one in groups if one.home == 4)
    assert isinstance(records, Records)
    assert len(records) == 3
    assert [one[:4] for one in records.some(pa.array([2, 0]))] == [b"4-11", b"4-0."]
    assert b"4-0.......".ljust(10, b".") in records


@pytest.mark.parametrize("most", [10_000, 50, 1])
def test_what_a_cluster_hands_over_is_grouped_the_same(most):
    """Its numbers have a sign, and its bytes are another type."""
    import pyarrow as pa

    rows = [(group - 6, place, b"x" * size) for some in ROWS for group, place, size in some]
    group, place, content = map(list, zip(*rows, strict=True))
    table = pa.table(
        {
            "bucket": pa.array([0] * len(rows), pa.int32()),
            "group": pa.array(group, pa.int64()),
            "place": pa.array(place, pa.int64()),
            "content": pa.array(content, pa.binary()),
        }
    )
    found = [(one.home, list(map(len, one.contents))) for one in Groups(table.to_batches(), most)]
    assert found == [(-2, [10, 10, 99]), (-1, [10, 10]), (0, [10, 10]), (2, [10]), (3, [10, 99])]
