"""Who opens one store after the other, as a backfill does for each part, keeps nothing of them."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.sqlite import SqliteStore


def remembered() -> int:
    """How many keys all stores remember that were ever opened here."""
    gc.collect()
    return sum(len(one) for one in gc.get_objects() if type(one).__name__ == "_Known")


async def fill(path: Path, number: int) -> None:
    store = SqliteStore.open(path)
    patient = {"resourceType": "Patient", "id": f"p{number}", "active": True}
    stamped, body = stamp(patient, patient["id"], "1", 1_700_000_000_000)
    write = Write("Patient", patient["id"], "1", 1_700_000_000_000, stamped, body)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
    page = await store.search(DEFAULT_PROJECT, Query("Patient"))
    assert len(page.matches) == number + 1
    during = remembered()
    await store.close()
    assert remembered() < during


def test_a_store_that_is_closed_keeps_no_keys(tmp_path: Path):
    before = remembered()
    for number in range(3):
        asyncio.run(fill(tmp_path / "x.db", number))
    assert remembered() <= before
