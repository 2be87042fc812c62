"""What a deletion took away: of a change, the version that there is to look at."""

from __future__ import annotations

from threadwell.stores.contract import Reading, Stored

#: Versions that are looked at together for that before a deletion: it is mostly the next one.
_TOGETHER = 50


async def last_body(store: Reading, project: str, stored: Stored) -> Stored | None:
    """The version itself, or the one before a deletion; ``None`` where there is none any more."""
    if not stored.deleted:
        return stored
    passed = False
    offset = 0
    while True:
        versions, _ = await store.history(project, stored.type, stored.id, _TOGETHER, offset)
        for one in versions:
            if passed and not one.deleted:
                return one
            passed = passed or one.version_id == stored.version_id
        if len(versions) < _TOGETHER:
            return None
        # What came meanwhile moves the others on: one may come twice, and none is passed over.
        offset += _TOGETHER
