"""A store that is tried out keeps the preconditions of the one that it reads."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from threadwell.facade.trial import TrialStore
from threadwell.stores.contract import DEFAULT_PROJECT, Conflict
from threadwell.stores.memory import MemoryStore
from threadwell.stores.suite.scenario import Desk, query

ANA = {"resourceType": "Patient", "id": "ana"}


@pytest.mark.parametrize("moved_on", ["in the store", "in the trial", "made meanwhile"])
def test_a_write_that_follows_another_version_is_a_conflict(moved_on):
    async def run():
        base = MemoryStore()
        desk, trial = Desk(base), Desk(TrialStore(base))
        before = None if moved_on == "made meanwhile" else (await desk.put(ANA))[0]
        stale = trial.write({**ANA, "active": False}, before)
        mover = trial if moved_on == "in the trial" else desk
        await mover.commit(mover.write({**ANA, "active": True}, before))
        with pytest.raises(Conflict):
            await trial.commit(stale)
        after = await trial.must_read("Patient", "ana")
        assert b'"active":true' in after.body.replace(b" ", b"")
        return await base.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0)

    versions, _ = asyncio.run(run())
    assert len(versions) == {"in the store": 2, "in the trial": 1, "made meanwhile": 1}[moved_on]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10])
def test_pages_go_on_from_its_own_to_those_of_the_store(count):
    async def run():
        base = MemoryStore()
        trial = Desk(TrialStore(base))
        await Desk(base).put(*({"resourceType": "Patient", "id": f"b{n}"} for n in range(4)))
        await trial.put(*({"resourceType": "Patient", "id": f"t{n}"} for n in range(3)))
        asked = query(f"Patient?_count={count}")
        seen = []
        while True:
            page = await trial.store.search(DEFAULT_PROJECT, asked)
            seen += [stored.id for stored in page.matches]
            if not page.more:
                return seen
            asked = replace(asked, after=page.last)

    assert asyncio.run(run()) == ["t0", "t1", "t2", "b0", "b1", "b2", "b3"]
