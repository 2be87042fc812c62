"""The heartbeats of many sockets: one task has each of them say in its turn that it is alive.

Of a thousand that come back together each has a moment of its own, so that what is new waits for no
more than a few of them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

from threadwell.stores.contract import StoreError

_log = logging.getLogger(__name__)

#: Seconds between two heartbeats of a socket.
BEAT = 10.0
#: Turns in that time.
_TURNS = 100

#: Has one socket say so.
Beat: TypeAlias = Callable[[], None]


class Pulse:
    """Beats for whoever is ``beating``, every ``BEAT`` seconds. In one event loop.

    ``look`` is waited for before each turn in which somebody beats: it brings up to date what all
    of them go by. Where the store is away, they beat all the same.
    """

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._turns: list[set[Beat]] = [set() for _ in range(_TURNS)]
        self._now = 0
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def beating(self, beat: Beat) -> Iterator[None]:
        """Have that one beat for as long as this lasts."""
        # The first time is not at once: it has just been told that it is served.
        ahead = random.randint(_TURNS // 5, _TURNS)  # noqa: S311 - it hides nothing
        turn = self._turns[(self._now + ahead) % _TURNS]
        turn.add(beat)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_round(), name="threadwell-pulse")
        try:
            yield
        finally:
            turn.discard(beat)
            if self._task is not None and not any(self._turns):
                self._task.cancel()
                self._task = None

    async def _go_round(self) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time()
        while True:
            at = max(at + BEAT / _TURNS, loop.time())
            await asyncio.sleep(at - loop.time())
            self._now = (self._now + 1) % _TURNS
            turn = list(self._turns[self._now])
            if turn:
                with suppress(StoreError):
                    await self._look()
            for beat in turn:
                try:
                    beat()
                except Exception as error:  # noqa: BLE001 - it holds up nobody but itself
                    _log.warning(
                        "a socket could not say that it is alive: %s", type(error).__name__
                    )
