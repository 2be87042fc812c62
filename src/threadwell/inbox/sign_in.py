"""Who may see the pages: one-time links and the cookies they are exchanged for.

A link's token and a cookie's value are random; the store keeps only their SHA-256, among its
private values, so that a copy of the database lets nobody in.
"""

from __future__ import annotations

import hashlib
import secrets

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import Store

#: How long a link waits to be opened, in milliseconds.
LINK_LIFE = 15 * 60_000
#: How long a browser stays signed in, in milliseconds.
COOKIE_LIFE = 12 * 60 * 60_000

_LINK = "sign-in-link"
_USED = "sign-in-used"
_COOKIE = "sign-in-cookie"


async def new_link(store: Store, base_url: str, clock: Clock = now_ms) -> str:
    """A URL below ``base_url`` that signs one browser in, once, within ``LINK_LIFE``."""
    await _forget_expired(store, clock())
    token = secrets.token_urlsafe(32)
    await store.put_private(_LINK, _digest(token), _expiry(clock() + LINK_LIFE))
    return f"{base_url.rstrip('/')}/sign-in/{token}"


async def is_good(store: Store, token: str, clock: Clock = now_ms) -> bool:
    """Would a link's token sign in now? To ask does not use it up."""
    name = _digest(token)
    expires = await store.get_private(_LINK, name)
    if expires is None or int(expires) <= clock():
        return False
    return await store.get_private(_USED, name) is None


async def redeem(store: Store, token: str, clock: Clock = now_ms) -> str | None:
    """The cookie that a link's token buys; ``None`` if it is unknown, expired or used before.

    Of many who open the same link at once, one gets in.
    """
    if not await is_good(store, token, clock):
        return None
    name = _digest(token)
    expires = _expiry(clock() + LINK_LIFE)
    if not await store.put_private(_USED, name, expires, only_new=True):
        return None
    await store.put_private(_LINK, name, None)
    cookie = secrets.token_urlsafe(32)
    await store.put_private(_COOKIE, _digest(cookie), _expiry(clock() + COOKIE_LIFE))
    return cookie


async def is_signed_in(store: Store, cookie: str | None, clock: Clock = now_ms) -> bool:
    """Does the cookie belong to a browser that signed in less than ``COOKIE_LIFE`` ago?"""
    if not cookie:
        return False
    expires = await store.get_private(_COOKIE, _digest(cookie))
    return expires is not None and int(expires) > clock()


async def sign_out(store: Store, cookie: str | None) -> None:
    """Make the cookie worthless, wherever a copy of it may be."""
    if cookie:
        await store.put_private(_COOKIE, _digest(cookie), None)


async def _forget_expired(store: Store, now: int) -> None:
    for kind in (_LINK, _USED, _COOKIE):
        for name, expires in (await store.list_private(kind)).items():
            if int(expires) <= now:
                await store.put_private(kind, name, None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _expiry(ms: int) -> bytes:
    return str(ms).encode()
