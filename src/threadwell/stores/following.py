"""How a store tells of commits as they come: who waits for them, and what wakes them up.

A wake-up only says that it is worth looking; what there is to tell, and in which order, is read
from the store. So one that is lost or comes twice does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from threadwell.stores.contract import Change, StoreError

_log = logging.getLogger(__name__)

#: Changes that are read at a time.
BATCH = 100


class Bell:
    """Wakes those who follow a project. For one event loop at a time.

    ``listen`` is how a store hears of what other processes commit. It runs while anybody follows,
    rings once it is able to hear, and never ends by itself.
    """

    def __init__(self, listen: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        self._listen = listen
        self._listening: asyncio.Task[None] | None = None
        self._rung: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.closed = False

    def ring(self, project: str) -> None:
        """There may be something new in a project."""
        for rung in self._rung.get(project, ()):
            rung.set()

    def ring_all(self) -> None:
        """There may be something new in any project."""
        for project in self._rung:
            self.ring(project)

    def close(self) -> None:
        """Let everybody go."""
        self.closed = True
        self.ring_all()
        self._stop()

    @contextmanager
    def rung(self, project: str) -> Iterator[asyncio.Event]:
        """What is set whenever the bell rings for a project."""
        event = asyncio.Event()
        self._rung[project].add(event)
        if self._listen and (self._listening is None or self._listening.done()):
            self._listening = asyncio.create_task(self._listen(), name="threadwell-news")
        try:
            yield event
        finally:
            self._rung[project].discard(event)
            if not self._rung[project]:
                del self._rung[project]
            if not self._rung:
                self._stop()

    def _stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None


async def stirrings(bell: Bell, project: str) -> AsyncGenerator[None, None]:
    """Yields now, and whenever the bell has rung for a project since, until it is closed."""
    with bell.rung(project) as rung:
        while not bell.closed:
            rung.clear()
            yield
            await rung.wait()


class Read(NamedTuple):
    """Some changes, and whether they are known to have been all there were."""

    found: Sequence[Change]
    is_all: bool = False


async def follow(
    bell: Bell, project: str, after: int, read: Callable[[int], Awaitable[Read]]
) -> AsyncGenerator[Change, None]:
    """What ``read`` finds after a position, again and again, until the bell is closed."""
    away = False
    with bell.rung(project) as rung:
        while not bell.closed:
            rung.clear()
            try:
                found, is_all = await read(after)
                away = False
            except StoreError as error:
                # The bell rings again when the store may be back.
                if not away:
                    _log.warning("news has to wait: %s", error)
                found, is_all, away = (), True, True
            for change in found:
                yield change
                after = change.position
            # What was committed since it was read has rung.
            if is_all or not found:
                await rung.wait()
