"""The heartbeats of many sockets."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial

import pytest

from threadwell.api.subscriptions import pulse
from threadwell.api.subscriptions.pulse import Pulse
from threadwell.stores.contract import StoreError


@pytest.mark.parametrize("error", [RuntimeError("the handler is closed"), None])
def test_one_that_fails_and_a_store_that_is_away_hold_up_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setattr(pulse, "BEAT", 0.1)

    async def beats() -> int:
        beaten = 0
        enough = asyncio.Event()

        async def away() -> None:
            raise StoreError("away")

        def failing() -> None:
            if error is not None:
                raise error

        def beat() -> None:
            nonlocal beaten
            beaten += 1
            if beaten == 40:
                enough.set()

        of_all = Pulse(away)
        with ExitStack() as stack:
            for one in (failing, beat) * 10:
                stack.enter_context(of_all.beating(partial(one)))
            await asyncio.wait_for(enough.wait(), 20)
        return beaten

    # Ten sockets, each of which was alive for several rounds.
    assert asyncio.run(beats()) >= 40
