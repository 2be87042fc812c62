"""How far intake has looked through what others have changed: a position of the project's news."""

from __future__ import annotations

from collections.abc import AsyncIterator

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.stores.contract import Change, Store

_KIND = "intake-looked"
_AT_A_TIME = 500

#: So many changes may be looked through once more, before it is worth keeping how far it is.
WORTH_KEEPING = 200

#: Where earlier builds kept when they had imported last, as its ``meta.lastUpdated``.
_FORMER = "Basic", Identity(codes.INTAKE, "intake").id


async def looked_until(store: Store, project: str) -> int | None:
    """The position up to which nothing is left to be looked at; ``None`` where nobody has looked.

    A store that was put back to an earlier state is looked through from where it is.
    """
    value = await store.get_private(_KIND, project)
    return min(int(value), await store.position(project)) if value is not None else None


async def keep_looked(store: Store, project: str, position: int) -> None:
    """Keep that nothing is left up to that position."""
    await store.put_private(_KIND, project, b"%d" % position)


async def imported_before(store: Store, project: str) -> int:
    """When an earlier build imported last, in milliseconds since 1970 UTC; 0 if none ever did."""
    former = await store.read(project, *_FORMER)
    return former.updated if former else 0


async def changes_between(
    store: Store, project: str, after: int, until: int
) -> AsyncIterator[Change]:
    """The changes after one position up to another one, in order."""
    while after < until:
        found = await store.changes(project, after, min(_AT_A_TIME, until - after))
        if not found:
            return
        for change in found:
            if change.position <= until:
                yield change
        after = found[-1].position
