"""Bundles take turns: what is made of one is gone before the next ones are taken apart.

A message is some 700 bytes of JSON and, decided and indexed, 30 KB of Python's objects. Bundles
that a process works on side by side hold all of theirs at once, are done no sooner for it, and
leave memory full of holes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: Bytes of bodies that go side by side, and seconds for which one that goes is counted.
MOST, PATIENCE = 256 * 1024, 5.0


class Lane:
    """Bodies under way in one event loop, in the order in which they came.

    ``most`` bytes go side by side, or one that is larger. One that has gone for ``patience``
    (seconds) is not counted any more: work that takes long, or stands still for something, does not
    hold up all others.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self._most, self._patience = most, patience
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncIterator[None]:
        """Work on a body of so many bytes once it is its turn."""
        if self._waiting or not self._has_room(size):
            await self._wait(size)
        else:
            self._held += size
        counted = [size]

        def end() -> None:
            if counted:
                self._give_up(counted.pop())

        timer = asyncio.get_running_loop().call_later(self._patience, end)
        try:
            yield
        finally:
            timer.cancel()
            end()

    def _has_room(self, size: int) -> bool:
        return not self._held or self._held + size <= self._most

    async def _wait(self, size: int) -> None:
        """Wait until room is taken for it."""
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mine = size, called
        self._waiting.append(mine)
        try:
            await asyncio.wait([called])
        except asyncio.CancelledError:
            if not called.done():
                self._waiting.remove(mine)
                size = 0
            self._give_up(size)
            raise

    def _give_up(self, size: int) -> None:
        """Give back the room of so many bytes, and call whoever has room now."""
        self._held -= size
        while self._waiting and self._has_room(self._waiting[0][0]):
            size, called = self._waiting.popleft()
            self._held += size
            called.set_result(None)


class Lanes:
    """A lane for bodies of a usual size, and one for larger ones, which nobody else waits for."""

    def __init__(self) -> None:
        self._usual, self._large = Lane(), Lane()

    def of(self, size: int) -> Lane:
        """The lane for a body of so many bytes."""
        return self._large if size > MOST else self._usual
