"""A table that is written without SQLite: SQLite finds nothing wrong with it, and all in order."""

from __future__ import annotations

from itertools import chain
from random import Random

import apsw
import pytest

from threadwell.stores.sql import image as made
from threadwell.stores.sql.image import cells, entries_in, image, in_order, is_small, place

#: What fits a page, and what fits with another page: one stands between them.
LEAF = 2426
FEW = (0, 1, 2, LEAF - 1, LEAF, LEAF + 1, LEAF + 2, 2 * LEAF, 2 * LEAF + 1, 2 * LEAF + 2, 50_000)


def entries(count: int, lowest: int) -> list[tuple[int, int, int]]:
    random = Random(count)
    found = {
        (
            random.choice((-(2**63), 2**63 - 1, random.getrandbits(64) - 2**63)),
            random.choice((lowest, 0, 10**15 + random.randrange(10**12))),
            random.choice((0, 2**31 - 1, random.randrange(2**31))),
        )
        for _ in range(4 * count)
    }
    return random.sample(sorted(found), count)


def check(rows: list[tuple[int, int, int]]) -> bytes:
    """SQLite reads these entries, all of them, in order, by key too, and misses nothing."""
    lists: dict[int, list[bytes]] = {}
    for key, sort, at in rows:
        lists.setdefault(key, []).append(place(sort, at))
    for places in lists.values():
        in_order(places)
    whole = image(cells(sorted(lists), lists))
    connection = apsw.Connection(":memory:")
    connection.deserialize("main", whole)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("SELECT key, sort, place FROM entry").fetchall() == sorted(rows)
    for one in rows[:20]:
        sql = "SELECT 1 FROM entry WHERE key = ? AND sort = ? AND place = ?"
        assert connection.execute(sql, one).fetchall() == [(1,)]
    assert sorted(entries_in(whole)) == sorted(rows)
    connection.close()
    return whole


@pytest.mark.parametrize("lowest", [0, -(2**63)])
@pytest.mark.parametrize("count", FEW)
def test_it_is_a_database(count, lowest):
    assert is_small(check(entries(count, lowest))) == (count <= LEAF)


def test_pages_stand_above_pages(monkeypatch):
    monkeypatch.setattr(made, "_IN_LEAF", 3)
    monkeypatch.setattr(made, "_IN_INNER", 4)
    for count in chain(range(130), (500, 1111)):
        check(entries(count, 0))
