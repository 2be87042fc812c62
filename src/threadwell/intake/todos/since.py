"""Since when threads of a project are looked after: since it hears of messages as they come.

What was written before may be imported by the million: nobody has to answer it any more.
"""

from __future__ import annotations

from threadwell.intake.tracking import Tracking
from threadwell.stores.contract import Store

KIND = "todos-since"


async def keep_since(store: Store, project: str, now: int) -> None:
    """Look after threads from now on (ms since 1970 UTC), unless that has begun already."""
    if await store.get_private(KIND, project) is None:
        await store.put_private(KIND, project, str(now * 1000).encode(), only_new=True)


async def kept_tracking(store: Store, project: str) -> Tracking | None:
    """How threads are looked after, ``None`` where they are not."""
    kept = await store.get_private(KIND, project)
    return Tracking(int(kept)) if kept else None
