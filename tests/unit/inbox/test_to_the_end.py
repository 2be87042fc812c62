"""Lists of any length are turned over to their end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.encounters import codes
from threadwell.fhir.stamp import stamp
from threadwell.inbox import listing
from threadwell.inbox.dates import Dates
from threadwell.inbox.listing import list_sessions
from threadwell.inbox.reader import Reader
from threadwell.inbox.turning import LAST
from threadwell.intake import Wanted
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.sqlite import SqliteStore

#: More than any ``_offset`` may skip.
NUMBER = 10_250


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with so many sessions."""
    path = tmp_path_factory.mktemp("long") / "threadwell.db"
    asyncio.run(_fill(path))
    return path


async def _fill(path: Path) -> None:
    store = SqliteStore.open(path)
    for first in range(0, NUMBER, 2050):
        writes = []
        for n in range(first, first + 2050):
            body = {
                "resourceType": "Encounter",
                "status": "finished",
                "class": codes.VIRTUAL,
                # Many begin at one moment.
                "period": {"start": f"2024-01-{n % 28 + 1:02}T10:00:00Z"},
            }
            resource, written = stamp(body, f"s{n}", "1", 1)
            writes.append(Write("Encounter", f"s{n}", "1", 1, resource, written))
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
    await store.close()


@pytest.mark.parametrize(("first", "way"), [("", "after"), (LAST, "before")])
def test_the_other_end_is_reached(
    path: Path, monkeypatch: pytest.MonkeyPatch, first: str, way: str
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1000)

    async def all_ids() -> list[str]:
        store = SqliteStore.open(path)
        try:
            reader, dates = Reader(store, DEFAULT_PROJECT), Dates(ZoneInfo("UTC"))
            ids: list[str] = []
            cursor = first
            while True:
                page = await list_sessions(reader, Wanted(), cursor=cursor, dates=dates)
                assert page.total == NUMBER
                if cursor == first:
                    assert bool(page.turns.after) is not (first == LAST)
                    assert bool(page.turns.before) is (first == LAST)
                ids += [row.id for row in page.rows]
                cursor = getattr(page.turns, way)
                if not cursor:
                    return ids
        finally:
            await store.close()

    found = asyncio.run(all_ids())
    assert len(found) == NUMBER
    assert len(set(found)) == NUMBER
