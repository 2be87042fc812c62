"""Work that goes on from one round of a duty to the next: a task for each key, and no key waits for
another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class GoingOn(Generic[K]):
    """The tasks that are under way; of those that went wrong, what they have raised."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[None]] = {}
        self._failures: list[BaseException] = []

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def __contains__(self, key: object) -> bool:
        return key in self._tasks

    def begin(self, key: K, work: Coroutine[Any, Any, None]) -> None:
        """Begin with something that is not under way."""
        self._tasks[key] = asyncio.create_task(work)

    async def wait(self, seconds: float) -> set[K]:
        """Wait so long, or until all have ended; which of those that ended have failed."""
        await asyncio.wait(self._tasks.values(), timeout=seconds)
        failed: set[K] = set()
        for key, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[key]
                if error := task.exception():
                    failed.add(key)
                    self._failures.append(error)
        return failed

    async def break_off(self) -> None:
        """End them all, wherever they are."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def check(self) -> None:
        """Raise the first thing that went wrong since this was asked last."""
        if self._failures:
            failures, self._failures = self._failures, []
            raise failures[0]
