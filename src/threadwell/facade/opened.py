"""A store that is open, and the event loop that works on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from threadwell.api.context import Context, open_context
from threadwell.app import BASE_URL_VARIABLE, DEFAULT_BASE_URL, channel_labels, checked_url
from threadwell.facade.loop import LoopThread
from threadwell.stores.contract import Store


class Opened:
    """The store of one ``with``; a method that is called after its end raises ``StoreError``."""

    def __init__(self, opener: Callable[[], Store], project: str) -> None:
        self._project = project
        self._loop = LoopThread()
        try:
            self._store, self._context = self._loop.call(_opened(opener, project))
        except BaseException:
            self._loop.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store; what was acknowledged is in it."""
        if not self._loop.closed:
            self._loop.call(self._store.close())
            self._loop.close()


async def _opened(opener: Callable[[], Store], project: str) -> tuple[Store, Context]:
    base_url = os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL
    checked_url(base_url, BASE_URL_VARIABLE)
    store = opener()
    try:
        context = await open_context(
            store, base_url=base_url, labels=channel_labels, project=project
        )
        return store, context
    except BaseException:
        await store.close()
        raise
