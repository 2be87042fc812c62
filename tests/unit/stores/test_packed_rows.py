"""Entries as rows for ``COPY``: all of them, in the order of lists; numbers are put in later."""

from __future__ import annotations

import asyncio
from random import Random

import asyncpg
import pytest

from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.packed_rows import Lists, copy, entries_in, numbered

LOWEST, HIGHEST = -(2**63), 2**63 - 1


def of(count: int) -> list[Entries]:
    """The entries of so many resources: some lists have all of them, others one alone."""
    random = Random(count)
    every = []
    for number in range(count):
        at = random.choice((LOWEST, HIGHEST, 0, random.randrange(10**15)))
        places = tuple({LOWEST, HIGHEST, -1, 0, random.getrandbits(64) - 2**63})
        placed = ((7, number), (-7, random.choice((at, HIGHEST - number))))
        every.append(Entries(places, placed if number % 3 else (), (), 0, at))
    return every


@pytest.mark.parametrize("count", [0, 1, 2, 300])
@pytest.mark.parametrize("project", [1, 2**40 + 3])
def test_postgres_copies_them_all(empty_postgres_url: str, count: int, project: int) -> None:
    every = of(count)
    lists = Lists()
    for place, one in enumerate(every):
        lists.add(one, place)
    # As others had some between them, the numbers have gaps.
    numbers = [2**33 + 3 * place for place in range(count)]
    rows = numbered(lists.rows(0), project, numbers)
    expected = {row for place, one in enumerate(every) for row in one.postings(numbers[place])}
    assert len(expected) >= 5 * count
    found = list(entries_in(rows))
    assert set(found) == expected
    assert len(found) == len(expected)
    assert [key for key, _, _ in found] == sorted(key for key, _, _ in found)

    async def copied() -> set[tuple[int, ...]]:
        store = PostgresStore.open(empty_postgres_url)
        await store.index_keys()  # now there are tables
        await store.close()
        address = parse_address(empty_postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        try:
            await connection.execute("CREATE TEMPORARY TABLE entry (LIKE posting INCLUDING ALL)")
            await connection.copy_to_table(
                "entry", source=memoryview(copy([rows, b""])), format="binary"
            )
            return {tuple(row) for row in await connection.fetch("SELECT * FROM entry")}
        finally:
            await connection.close()

    assert asyncio.run(copied()) == {(project, *one) for one in expected}


def test_they_may_have_their_numbers_from_the_beginning() -> None:
    first, second = Lists(), Lists()
    numbers = [5, 9, 2]
    for place, one in enumerate(of(3)):
        first.add(one, place)
        second.add(one, numbers[place])
    rows = numbered(first.rows(0), 4, numbers)
    assert sorted(entries_in(rows)) == sorted(entries_in(second.rows(4)))
