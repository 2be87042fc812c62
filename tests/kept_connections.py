"""Connections to PostgreSQL that go from the store of one test to that of the next.

A server keeps its connections from one request to the next. A test has a store of its own, and what
it does with it takes PostgreSQL less time than to make the two or three connections for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg


class _Kept(asyncpg.Connection):
    """Whoever closes it puts it aside, as new as the server can make it."""

    __slots__ = ("beside",)

    beside: list[_Kept]

    async def close(self, *, timeout: float | None = None) -> None:
        is_fit = False
        try:
            await self.reset(timeout=timeout)
            is_fit = True
        finally:
            if is_fit:
                self.beside.append(self)
            else:
                self.terminate()


class KeptConnections:
    """Those of one event loop: who runs on another one has connections as ever."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._connect = asyncpg.connect
        #: Those that nobody has, by how they were asked for.
        self._free: dict[tuple[str, str], list[_Kept]] = {}

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Who connects meanwhile is given one that is there, or one that will be kept."""
        before, asyncpg.connect = asyncpg.connect, self._given
        try:
            yield
        finally:
            asyncpg.connect = before

    def close(self) -> None:
        """Let go of all, and of the loop."""
        self._runner.run(self._terminate())
        self._runner.close()

    async def _given(self, dsn: str, **how: Any) -> asyncpg.Connection[asyncpg.Record]:
        if asyncio.get_running_loop() is not self._runner.get_loop():
            return await self._connect(dsn, **how)
        free = self._free.setdefault((dsn, repr(sorted(how.items()))), [])
        while free:
            if not (kept := free.pop()).is_closed():
                return kept
        made = await self._connect(dsn, connection_class=_Kept, **how)
        made.beside = free
        return made

    async def _terminate(self) -> None:
        for free in self._free.values():
            for kept in free:
                kept.terminate()
