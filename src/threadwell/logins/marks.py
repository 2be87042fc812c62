"""Logins that were ended before their tokens expired."""

from __future__ import annotations

from threadwell.logins import endings
from threadwell.logins.login import LIFE
from threadwell.stores.contract import Store

_KIND = "ended-login"


async def ended(store: Store, login_id: str) -> bool:
    """Was the login ended?"""
    return await store.get_private(_KIND, login_id) is not None


async def end(store: Store, login_id: str, now: int) -> None:
    """End the login; ``now`` in seconds since 1970. Remembered until its token expires anyway."""
    for other, until in (await store.list_private(_KIND)).items():
        if int(until) <= now:
            await store.put_private(_KIND, other, None)
    await store.put_private(_KIND, login_id, str(now + LIFE).encode())
    await endings.tell(store)
