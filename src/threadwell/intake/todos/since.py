"""Since when threads of a project are looked after: since it hears of messages as they come.

What was written before may be imported by the million: nobody has to answer it any more.
"""

from __future__ import annotations

from threadwell.stores.contract import Store

KIND = "todos-since"


async def keep_since(store: Store, project: str, now: int) -> None:
    """Look after threads from now on (ms since 1970 UTC), unless that has begun already."""
    if await store.get_private(KIND, project) is None:
        await store.put_private(KIND, project, str(now * 1000).encode(), only_new=True)


async def heard_since(store: Store, project: str) -> int | None:
    """Since when messages are heard as they come (µs since 1970 UTC), ``None`` for not yet."""
    kept = await store.get_private(KIND, project)
    return int(kept) if kept else None
