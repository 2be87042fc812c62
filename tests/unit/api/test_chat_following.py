"""Who listens to an app's news: each has a follower, whoever came and went before."""

from __future__ import annotations

import asyncio

from threadwell.api.chat.following import Following
from threadwell.channels.chat.names import Patient
from threadwell.intake.chat.typing import Typing
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore


def test_who_comes_as_the_last_one_leaves_goes_on() -> None:
    async def test() -> None:
        following = Following(MemoryStore(), DEFAULT_PROJECT, Typing(), lambda: 0)
        with following.listening(Patient("app", "ana"), 0):
            await asyncio.sleep(0.05)
        with following.listening(Patient("app", "ana"), 0) as listener:
            await asyncio.sleep(0.05)
            assert not listener.over
            following.close()
            assert listener.over

    asyncio.run(test())
