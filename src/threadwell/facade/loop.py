"""An event loop in a thread of its own, so that plain code may call what is asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from types import CoroutineType
from typing import Any, TypeVar

from threadwell.stores.contract import StoreError

T = TypeVar("T")

#: Seconds that work may take to end once it is cancelled.
_PATIENCE = 5


class LoopThread:
    """Runs coroutines for callers in any thread, also where a loop of theirs is running.

    The thread is a daemon: a program that forgets ``close`` still ends.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="threadwell", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Has ``close`` been called?"""
        return self._loop.is_closed()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``, or what it raised; ``KeyboardInterrupt`` ends it first.

        Raises ``StoreError`` once it is closed.
        """
        if self.closed:
            work.close()
            raise StoreError("the store is closed: threadwell.open opens it again")
        # An interrupt may come before the future is at hand: so the work tells its task itself.
        begun: list[asyncio.Task[Any]] = []
        try:
            return asyncio.run_coroutine_threadsafe(_begin(work, begun), self._loop).result()
        except KeyboardInterrupt:
            # What it has begun, such as processes, it ends before what it works on is closed.
            with suppress(TimeoutError, CancelledError):
                asyncio.run_coroutine_threadsafe(_end(begun), self._loop).result(_PATIENCE)
            raise
        except CancelledError:
            raise StoreError("the store was closed before the work was done") from None

    def close(self) -> None:
        """Stop the loop and end the thread; a second call does nothing.

        Before, what was left in the middle of an asynchronous generator is closed.
        """
        if self.closed:
            return
        with suppress(TimeoutError, CancelledError):
            asyncio.run_coroutine_threadsafe(_finish(), self._loop).result(_PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def _begin(work: Coroutine[Any, Any, T], begun: list[asyncio.Task[Any]]) -> T:
    task = asyncio.current_task()
    assert task is not None
    begun.append(task)
    return await work


async def _end(begun: list[asyncio.Task[Any]]) -> None:
    """Cancel what was begun before this was asked for, and wait for its end."""
    for task in begun:
        task.cancel()
    if begun:
        await asyncio.wait(begun)


async def _finish() -> None:
    """Close the generators that nobody goes on with, and wait for those that are being closed."""
    await asyncio.get_running_loop().shutdown_asyncgens()
    await settled()


async def settled() -> None:
    """Wait until the asynchronous generators that were dropped are closed.

    Each is by a task of the loop's own, which has no coroutine of ours. They may use what is
    closed next, such as a store.
    """
    # What was dropped by another thread is handed to the loop: it has come once that is round.
    await asyncio.sleep(0)
    closing = [one for one in asyncio.all_tasks() if not isinstance(one.get_coro(), CoroutineType)]
    if closing:
        await asyncio.wait(closing, timeout=_PATIENCE)
