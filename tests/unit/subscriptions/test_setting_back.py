"""A rest-hook is set back, over each store: told again, in order, from an event on."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.subscriptions.test_hooks import URL, Practice
from tests.unit.subscriptions.test_hooks import practice as practice
from threadwell.fhir.json import decode
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.subscriptions.hook_calls import NUMBER
from threadwell.subscriptions.hook_states import set_back, states


def test_one_that_is_set_back_is_told_again(practice: Practice) -> None:
    """In order, whether it was reached last or given up; who is called at that moment, too."""
    practice.round()
    id_ = practice.hook()
    practice.message("completed")
    practice.message("not-done")
    practice.round()
    assert practice.endpoint.told() == ["completed", "not-done"]
    numbers = [int(one.headers[NUMBER]) for one in practice.endpoint.calls]
    assert numbers == sorted(set(numbers))
    practice.run(set_back(practice.store, PROJECT, id_, numbers[0]))
    practice.message("stopped")
    practice.round()
    assert practice.endpoint.told()[2:] == ["completed", "not-done", "stopped"]
    # A later number leaves out what lies between.
    practice.message("aborted")
    last = practice.run(practice.store.position(PROJECT))
    practice.run(set_back(practice.store, PROJECT, id_, last + 1))
    practice.message("completed")
    practice.round()
    assert practice.endpoint.told()[5:] == ["completed"]
    # What is under way to it does not undo what was said meanwhile.
    channel = {"endpoint": f"{URL}/slow"}
    slow = practice.hook(channel=channel)
    practice.message("entered-in-error")
    practice.endpoint.slow = asyncio.Event()

    async def meanwhile() -> None:
        asked = asyncio.create_task(practice.hooks.round())
        while not (await states(practice.store, PROJECT)).get(slow):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert practice.endpoint.slow
        await set_back(practice.store, PROJECT, slow, last + 1)
        practice.endpoint.slow.set()
        await asked

    before = len([one for one in practice.endpoint.calls if one.url.endswith("/slow")])
    practice.run(meanwhile())
    practice.round()
    told = [one for one in practice.endpoint.calls if one.url.endswith("/slow")][before:]
    assert [decode(one.body)["status"] for one in told] == [
        *("entered-in-error", "completed", "entered-in-error")
    ]
    assert len({one.headers[NUMBER] for one in told}) == 2
    with pytest.raises(LookupError):
        practice.run(set_back(practice.store, PROJECT, practice.message(), 1))
