"""What a deletion took away: of a change, the version that there is to look at."""

from __future__ import annotations

from threadwell.stores.contract import Reading, Stored

#: Versions among which that before a deletion is looked for.
_NEAR = 50


async def last_body(store: Reading, project: str, stored: Stored) -> Stored | None:
    """The version itself, or the one before a deletion; ``None`` where there was none near it."""
    if not stored.deleted:
        return stored
    versions, _ = await store.history(project, stored.type, stored.id, _NEAR, 0)
    passed = False
    for one in versions:
        if passed and not one.deleted:
            return one
        passed = passed or one.version_id == stored.version_id
    return None
