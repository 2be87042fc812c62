"""Subscriptions over a WebSocket whose client has gone for good: they end by themselves.

An app that is closed says nothing. What it had set up would be looked at for each change, and be
listed, for ever. So it is noted when a socket had each of them, and one that none has had for a day
is deleted, as it is where its client unbinds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic

from threadwell.fhir.search.query import DateFilter, Query, TokenFilter
from threadwell.fhir.search.sought import DateMatch, Prefix, TokenMatch
from threadwell.fhir.stamp import Clock, new_id, now_ms
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store, Stored, Write
from threadwell.stores.scanning import scan
from threadwell.subscriptions.served import WEBSOCKET

#: Milliseconds after which one that no socket has had is over, and those after which it is noted
#: again that one has it.
LONELY, NOTED = 24 * 3_600_000, 3_600_000
#: Seconds between two looks.
LOOK = 600.0

_BOUND = "subscription-bound"


async def note_bound(store: Store, project: str, ids: Iterable[str], now: int) -> None:
    """Keep that sockets have these Subscriptions; ``now`` in milliseconds since 1970 UTC."""
    for id_ in ids:
        await store.put_private(_BOUND, f"{project}/{id_}", b"%d" % now)


class Leaving:
    """Ends what nobody comes back for. ``still_held`` goes with each commit."""

    def __init__(
        self,
        store: Store,
        project: str,
        *,
        still_held: Callable[[], tuple[Kept, ...]] = tuple,
        clock: Clock = now_ms,
        look: float = LOOK,
    ) -> None:
        self._store = store
        self._project = project
        self._still_held = still_held
        self._clock = clock
        self._look = look
        self._next = 0.0

    async def round(self) -> float:
        """End those that are over, if it is time to look; in how many seconds it is again.

        Raises ``StoreError``, and ``Conflict`` where another process has taken over.
        """
        if self._next <= monotonic():
            await self._end_lonely()
            self._next = monotonic() + self._look
        return self._next - monotonic()

    async def _end_lonely(self) -> None:
        until = self._clock() - LONELY
        kept = await self._store.list_private(_BOUND, after=f"{self._project}/")
        bound = {
            name: value for name, value in kept.items() if name.startswith(f"{self._project}/")
        }
        before = DateFilter("_lastUpdated", (DateMatch(Prefix.LT, until * 1000, until * 1000),))
        asked = Query("Subscription", (_is("type", WEBSOCKET), _is("status", "active"), before))
        async for stored in scan(self._store, self._project, asked):
            value = bound.get(f"{self._project}/{stored.id}")
            if value is None or int(value) < until:
                await self._end(stored, value)
        for name, value in bound.items():
            # Whoever is served still has just been noted, or will be.
            if int(value) < until:
                await self._store.put_private(_BOUND, name, None)

    async def _end(self, stored: Stored, noted: bytes | None) -> None:
        """Delete one, unless somebody has changed it, or a socket has it by now."""
        now = max(self._clock(), stored.updated)
        write = Write(stored.type, stored.id, new_id(now), now, None, b"", stored, stored.author)
        name = f"{self._project}/{stored.id}"
        unbound = Kept(_BOUND, name, None, before=noted)
        try:
            await self._store.commit(
                self._project, ChangeSet((write,), kept=(unbound, *self._still_held()))
            )
        except Conflict as conflict:
            if conflict.key is None or conflict.key.id not in (stored.id, name):
                raise


def _is(param: str, code: str) -> TokenFilter:
    return TokenFilter(param, (TokenMatch(None, code),))
