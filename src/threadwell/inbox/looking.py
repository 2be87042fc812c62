"""When those who listen are looked at again, so that many are looked at together.

A thousand open pages are asked about again and again: whether they are still signed in, and what
they see. They are due at the same moments, where those of one browser share a look, and a store can
answer for all the others at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from itertools import cycle
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Seconds after which each is looked at again, and moments within that time over which they are
#: spread.
LOOK, _PARTS = 5.0, 10
_PART = LOOK / _PARTS
_TURNS = cycle(range(1, _PARTS + 1))


def first_look(now: float) -> float:
    """When to look at somebody who listens from ``now`` on, in seconds of the same clock.

    Within ``LOOK``; many who have come at once are spread over it.
    """
    return (now // _PART + next(_TURNS)) * _PART


def next_look(now: float) -> float:
    """When to look at somebody again who was looked at ``now``: within ``LOOK``."""
    return (now // _PART + _PARTS) * _PART


class Looks(Generic[T]):
    """Looks that are under way: who wants the same one meanwhile shares it."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def at(self, what: Hashable, look: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``look`` returns, or raises; ``what`` is looked at once at a time."""
        task = self._under_way.get(what)
        # What belongs to a loop that has ended went with it.
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = self._under_way[what] = asyncio.create_task(look(), name="threadwell-look")
            task.add_done_callback(lambda _: self._under_way.pop(what, None))
        # Who goes away meanwhile takes it from nobody else.
        return await asyncio.shield(task)
