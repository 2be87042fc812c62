"""A store that is tried out keeps the preconditions of the one that it reads."""

from __future__ import annotations

import asyncio

import pytest

from threadwell.facade.trial import TrialStore
from threadwell.stores.contract import DEFAULT_PROJECT, Conflict
from threadwell.stores.memory import MemoryStore
from threadwell.stores.suite.scenario import Desk

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
