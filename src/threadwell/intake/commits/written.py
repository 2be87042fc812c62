"""When an import wrote last: what is newer, somebody else has changed."""

from __future__ import annotations

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.stores.contract import Kept, Store

_KIND = "intake-written"

#: Where earlier builds kept it, as its ``meta.lastUpdated``.
_FORMER = "Basic", Identity(codes.INTAKE, "intake").id


async def last_written(store: Store, project: str) -> int:
    """When an import wrote last, in milliseconds since 1970 UTC; 0 if none ever did."""
    value = await store.get_private(_KIND, project)
    if value is not None:
        return int(value)
    former = await store.read(project, *_FORMER)
    return former.updated if former else 0


def writing(project: str, now: int) -> Kept:
    """That an import writes at that time."""
    return Kept(_KIND, project, b"%d" % now)
