"""A store that is open, and the event loop that works on it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from threadwell.app import BASE_URL_VARIABLE, DEFAULT_BASE_URL, channel_labels, checked_url
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.audit.way import WAY
from threadwell.facade.loop import LoopThread, settled
from threadwell.fhir.search.references import FHIR_PATH, loopback_bases
from threadwell.projects.chosen import CHOSEN, chosen
from threadwell.projects.within import within
from threadwell.stores.contract import Store, StoreError

if TYPE_CHECKING:
    from threadwell.api.context import Context

T = TypeVar("T")


class Opened:
    """The store of one ``with``; a method that is called after its end raises ``StoreError``."""

    def __init__(
        self,
        opener: Callable[[], Store],
        project: str,
        trailer: Callable[[Store, Who], Trail] | None = None,
    ) -> None:
        self._loop = LoopThread()
        by = Who(way=WAY.get(), name=login_name())

        def trail(store: Store) -> Trail:
            return trailer(store, by) if trailer else Trail(store, by=by)

        try:
            self._base_url = os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL
            checked_url(self._base_url, BASE_URL_VARIABLE)
            opened = _opened(opener, trail, project or CHOSEN.get(), self._base_url)
            self._trail, self._project = self._loop.call(opened)
            self._store = within(self._trail.store, self._project)
            self._api: Context | None = None
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

    def _show(self, what: str, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``, recorded as a look at whatever it reads; ``what`` is listed."""

        async def watched() -> T:
            with self._trail.watching(self._project, self._trail.by, "list", asked=what):
                return await work

        return self._loop.call(watched())

    async def _context(self) -> Context:
        """What the API answers by. It is made for the first who asks for it: most lists do not."""
        if self._api is None:
            from threadwell.api.context import open_context

            made = await open_context(
                self._trail.whole,
                base_url=self._base_url,
                labels=channel_labels,
                project=self._project,
                trail=self._trail,
            )
            # Somebody else may have asked meanwhile.
            self._api = self._api or made
        return self._api

    def close(self) -> None:
        """Let go of the store; what was acknowledged is in it."""
        if not self._loop.closed:
            self._loop.call(_closed(self._trail))
            self._loop.close()


async def _opened(
    opener: Callable[[], Store], trailer: Callable[[Store], Trail], project: str, base_url: str
) -> tuple[Trail, str]:
    """The trail of the store, and the id of the project; the store knows the server's URLs."""
    store = opener()
    try:
        named = await chosen(store, project)
        await store.known_as(*loopback_bases(f"{base_url.rstrip('/')}{FHIR_PATH}"))
        await store.home(named, anew=True)
        return trailer(store), named
    except BaseException:
        await store.close()
        raise


async def _closed(trail: Trail) -> None:
    """Chain what was recorded here, if it is little; what is more waits for a server."""
    await settled()
    trail.close()
    with suppress(StoreError):
        await trail.drain_some()
    await trail.whole.close()


def login_name() -> str:
    """Under which name the person is known to the system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have no name for it
        return ""
