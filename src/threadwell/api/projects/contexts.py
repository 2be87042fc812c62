"""The contexts of a server's projects: opened when somebody first comes for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeAlias

from threadwell.api.context import Context
from threadwell.projects.registry import find_project, projects
from threadwell.stores.contract import DEFAULT_PROJECT, Store

#: Seconds within which a server that had one project knows of a second one.
LOOK = 1.0
#: Opens the context of a project by its id.
Open: TypeAlias = Callable[[str], Awaitable[Context]]


class Contexts:
    """Those of the projects of ``store``, which is the server's; the first one's is opened first.

    ``open_`` is only called for projects that there are. One that is ``alone`` looks for no other.
    """

    def __init__(self, store: Store, first: str, open_: Open, *, alone: bool = False) -> None:
        self._alone = alone
        self.whole = store
        self._first = first
        self._open = open_
        self._known: dict[str, Context] = {}
        self._opening = asyncio.Lock()
        self._several = False
        self._until = 0.0

    async def first(self) -> Context:
        """The context of the first project."""
        return await self._current(self._first)

    async def several(self) -> bool:
        """Are there further projects?"""
        # There are never fewer than there were. One looks for all, unless that takes long.
        if not self._several and not self._alone and (now := monotonic()) >= self._until:
            self._until = now + LOOK / 2
            try:
                self._several = len(await projects(self.whole)) > 1
            except BaseException:
                self._until = 0.0
                raise
        return self._several

    async def of(self, project: str) -> Context | None:
        """The context of a project, the first one for ``""``; ``None`` where there is none."""
        if project in ("", self._first):
            return await self.first()
        if project in self._known:
            return await self._current(project)
        if self._alone or project == DEFAULT_PROJECT:
            return None
        if await find_project(self.whole, project) is None:
            return None
        return await self._current(project)

    async def all(self) -> list[Context]:
        """Those of every project."""
        found = [await self.of(one.id) for one in await projects(self.whole)]
        return [one for one in found if one is not None]

    async def _current(self, project: str) -> Context:
        known = self._known.get(project) or await self._opened(project)
        current = await known.current()
        if current is not known:
            self._known[project] = current
        return current

    async def _opened(self, project: str) -> Context:
        async with self._opening:
            known = self._known.get(project)
            if known is None:
                known = self._known[project] = await self._open(project)
            return known
