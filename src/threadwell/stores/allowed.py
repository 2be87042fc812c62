"""What a practice lets clients do that R4 leaves to each server: kept as a private value."""

from __future__ import annotations

import msgspec

from threadwell.stores.contract import Store

_KIND = "allowed"
#: Resources that one conditional delete may delete.
MOST_DELETED = 1_000


class Allowed(msgspec.Struct, frozen=True):
    """``update_create``: an update of an id that never was makes the resource.
    ``delete_several``: a conditional delete deletes all that it selects.
    """

    update_create: bool = False
    delete_several: bool = False


async def allowed(store: Store, project: str) -> Allowed:
    """What is allowed now."""
    value = await store.get_private(_KIND, project)
    return Allowed() if value is None else msgspec.json.decode(value, type=Allowed)


async def allow(store: Store, project: str, name: str, *, on: bool) -> Allowed:
    """Allow something from now on, or not any more; ``name`` is that of a field."""
    now = msgspec.structs.replace(await allowed(store, project), **{name: on})
    await store.put_private(_KIND, project, msgspec.json.encode(now))
    return now
