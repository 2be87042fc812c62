"""Whoever is shown a page has seen what is on it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Record, Who
from threadwell.audit.trail import Trail
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore


@pytest.mark.parametrize(("quiet", "reads", "told"), [(True, 0, 0), (False, 0, 1), (True, 1, 1)])
def test_a_page_is_recorded_if_anything_was_seen(quiet: bool, reads: int, told: int) -> None:
    async def look() -> list[Record]:
        store = MemoryStore()
        trail = Trail(store)
        stamped, body = stamp({"resourceType": "Patient"}, "a", "1", 0)
        write: Any = Write("Patient", "a", "1", 0, stamped, body)
        await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
        who = Who(who="Practitioner/9", way="pages")
        with trail.watching(DEFAULT_PROJECT, who, "page", asked="/", quiet=quiet):
            for _ in range(reads):
                await trail.store.read(DEFAULT_PROJECT, "Patient", "a")
        await trail.store.read(DEFAULT_PROJECT, "Patient", "a")
        return [line.record async for line in find(trail, DEFAULT_PROJECT, Wanted())]

    assert len(asyncio.run(look())) == told
