"""Browsers in which somebody has signed in before: each has a cookie of its own for that.

It signs nobody in. It tells the owner's browser from that of whoever guesses (``pauses.py``).
"""

from __future__ import annotations

import hashlib
import secrets

from threadwell.stores.contract import Store
from threadwell.users.user import User

#: How long a browser is known, in milliseconds.
LIFE = 180 * 24 * 3_600_000
_KIND = "known-browser"
_MOST = 20


async def is_known(store: Store, user: User, device: str, now: int) -> bool:
    """Has somebody signed in to that account with this cookie?"""
    value = await store.get_private(_KIND, _name(user, device)) if device else None
    return value is not None and now - int(value) < LIFE


async def know(store: Store, user: User, device: str, now: int) -> str:
    """Know a browser from now on: the cookie that it keeps, the one that it has if it has one."""
    device = device or secrets.token_urlsafe(32)
    await store.put_private(_KIND, _name(user, device), str(now).encode())
    prefix = f"{user.id}/"
    found = await store.list_private(_KIND, after=prefix, count=_MOST + 5)
    mine = sorted(
        ((int(value), name) for name, value in found.items() if name.startswith(prefix)),
        reverse=True,
    )
    for _, name in mine[_MOST:]:
        await store.put_private(_KIND, name, None)
    return device


async def forget_devices(store: Store, user: User) -> None:
    """Know none of somebody's browsers any more."""
    prefix = f"{user.id}/"
    for name in await store.list_private(_KIND, after=prefix, count=_MOST + 5):
        if name.startswith(prefix):
            await store.put_private(_KIND, name, None)


def _name(user: User, device: str) -> str:
    return f"{user.id}/{hashlib.sha256(device.encode()).hexdigest()}"
