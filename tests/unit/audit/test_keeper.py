"""Records are chained as long as a server runs; memory that much of that took is given back."""

from __future__ import annotations

import asyncio

import pytest

from threadwell.audit import keeper
from threadwell.audit.keeper import MUCH, keep_chaining
from threadwell.audit.record import Record, Who
from threadwell.audit.trail import Trail
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore


@pytest.mark.parametrize(("records", "expected"), [(MUCH, [MUCH]), (1, [])])
def test_it_is_told_when_much_was_chained(records: int, expected: list[int]) -> None:
    assert asyncio.run(_told(records)) == expected


async def _told(records: int) -> list[int]:
    trail = Trail(MemoryStore())
    for at in range(records):
        trail.note(DEFAULT_PROJECT, Record(at=at, act="read", by=Who(way="test")))
    stop = asyncio.Event()
    told: list[int] = []
    drain = trail.drain

    async def once() -> int:
        stop.set()
        return await drain()

    trail.drain = once  # type: ignore[method-assign]
    await asyncio.wait_for(keep_chaining(trail, stop, lambda: told.append(records)), 60)
    assert (await trail.head(DEFAULT_PROJECT)).lines == records
    return told


def test_it_is_told_once_when_it_has_become_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "PAUSE", 0)
    monkeypatch.setattr(keeper, "SYNC", 0.001)
    # How many records each look finds, and after which of them it is told.
    found = [0, 3, 2, 0, 0, MUCH, 0, 0]

    async def run() -> list[int]:
        trail = Trail(MemoryStore())
        stop = asyncio.Event()
        looks = iter(found)
        at, told = 0, []

        async def drain() -> int:
            nonlocal at
            at += 1
            if at == len(found):
                stop.set()
            return next(looks, 0)

        monkeypatch.setattr(trail, "drain", drain)
        await asyncio.wait_for(keep_chaining(trail, stop, lambda: told.append(at)), 60)
        return told

    assert asyncio.run(run()) == [4, 6, 7]
