"""Who may see the pages: one-time links and the cookies they are exchanged for.

A link's token and a cookie's value are random; the store keeps only their SHA-256, among its
private values, so that a copy of the database lets nobody in. A link may name a person: what is
done in the browser that it signs in is done by them.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import Store

#: How long a link waits to be opened, in milliseconds.
LINK_LIFE = 15 * 60_000
#: How long a browser stays signed in, in milliseconds.
COOKIE_LIFE = 12 * 60 * 60_000

_LINK = "sign-in-link"
_USED = "sign-in-used"
_COOKIE = "sign-in-cookie"


class SignIn(NamedTuple):
    """What a link or a cookie is good for: ``expires`` in milliseconds since 1970 UTC.

    ``who`` is the reference of the person that it names (``Practitioner/…``), ``""`` for nobody.
    """

    expires: int
    who: str = ""


async def new_link(store: Store, base_url: str, clock: Clock = now_ms, *, who: str = "") -> str:
    """A URL below ``base_url`` that signs one browser in as ``who``, once, within ``LINK_LIFE``."""
    await _forget_expired(store, clock())
    token = secrets.token_urlsafe(32)
    await store.put_private(_LINK, _digest(token), _written(SignIn(clock() + LINK_LIFE, who)))
    return f"{base_url.rstrip('/')}/sign-in/{token}"


async def good_link(store: Store, token: str, clock: Clock = now_ms) -> SignIn | None:
    """What a link's token would sign in as now, ``None`` if it does not; to ask does not use it."""
    name = _digest(token)
    found = await _kept(store, _LINK, name, clock())
    if found is None or await store.get_private(_USED, name) is not None:
        return None
    return found


async def redeem(store: Store, token: str, clock: Clock = now_ms) -> str | None:
    """The cookie that a link's token buys; ``None`` if it is unknown, expired or used before.

    Of many who open the same link at once, one gets in.
    """
    found = await good_link(store, token, clock)
    if found is None:
        return None
    name = _digest(token)
    used = _written(SignIn(clock() + LINK_LIFE))
    if not await store.put_private(_USED, name, used, only_new=True):
        return None
    await store.put_private(_LINK, name, None)
    cookie = secrets.token_urlsafe(32)
    kept = _written(SignIn(clock() + COOKIE_LIFE, found.who))
    await store.put_private(_COOKIE, _digest(cookie), kept)
    return cookie


async def signed_in(store: Store, cookie: str | None, clock: Clock = now_ms) -> SignIn | None:
    """What a cookie is good for; ``None`` unless it was given less than ``COOKIE_LIFE`` ago."""
    return await _kept(store, _COOKIE, _digest(cookie), clock()) if cookie else None


async def sign_out(store: Store, cookie: str | None) -> None:
    """Make the cookie worthless, wherever a copy of it may be."""
    if cookie:
        await store.put_private(_COOKIE, _digest(cookie), None)


async def _kept(store: Store, kind: str, name: str, now: int) -> SignIn | None:
    value = await store.get_private(kind, name)
    found = None if value is None else _read(value)
    return found if found is not None and found.expires > now else None


async def _forget_expired(store: Store, now: int) -> None:
    for kind in (_LINK, _USED, _COOKIE):
        for name, value in (await store.list_private(kind)).items():
            if _read(value).expires <= now:
                await store.put_private(kind, name, None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _written(one: SignIn) -> bytes:
    return f"{one.expires} {one.who}".rstrip().encode()


def _read(value: bytes) -> SignIn:
    expires, _, who = value.decode().partition(" ")
    return SignIn(int(expires), who)
