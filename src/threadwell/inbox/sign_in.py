"""One-time links that sign a browser in to the pages.

A link's token is random; the store keeps only its SHA-256, among its private values, so that a
copy of the database lets nobody in. A link may name a person: what is done in the browser that it
signs in is done by them. What comes of it is a sign-in as by a password (``users.browsers``).
"""

from __future__ import annotations

import hashlib
import secrets

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.projects.hints import marked
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.users.browsers import SignIn, begin, forget_expired, read, written
from threadwell.users.shut_out import is_shut_out

#: How long a link waits to be opened, in milliseconds.
LINK_LIFE = 15 * 60_000

_LINK = "sign-in-link"
_USED = "sign-in-used"


async def new_link(
    store: Store,
    base_url: str,
    clock: Clock = now_ms,
    *,
    who: str = "",
    project: str = DEFAULT_PROJECT,
) -> str:
    """A URL below ``base_url`` that signs one browser in as ``who``, once, within ``LINK_LIFE``."""
    await _forget_expired(store, project, clock())
    token = marked(secrets.token_urlsafe(32), project)
    await store.put_private(_LINK, _digest(token), written(SignIn(clock() + LINK_LIFE, who)))
    return f"{base_url.rstrip('/')}/sign-in/{token}"


async def good_link(store: Store, token: str, clock: Clock = now_ms) -> SignIn | None:
    """What a link's token would sign in as now, ``None`` if it does not; to ask does not use it."""
    name = _digest(token)
    found = await _kept(store, _LINK, name, clock())
    if found is None or await store.get_private(_USED, name) is not None:
        return None
    return found


async def redeem(
    store: Store,
    token: str,
    clock: Clock = now_ms,
    *,
    project: str = DEFAULT_PROJECT,
    agent: str = "",
) -> str | None:
    """The cookie that a link's token buys; ``None`` if it is unknown, expired or used before.

    Of many who open the same link at once, one gets in.
    """
    found = await good_link(store, token, clock)
    if found is None or await is_shut_out(store, project, found.who):
        return None
    name = _digest(token)
    used = written(SignIn(clock() + LINK_LIFE))
    if not await store.put_private(_USED, name, used, only_new=True):
        return None
    await store.put_private(_LINK, name, None)
    return await begin(store, project, who=found.who, agent=agent, clock=clock)


async def _kept(store: Store, kind: str, name: str, now: int) -> SignIn | None:
    value = await store.get_private(kind, name)
    found = None if value is None else read(value)
    return found if found is not None and found.expires > now else None


async def _forget_expired(store: Store, project: str, now: int) -> None:
    await forget_expired(store, project, now)
    for kind in (_LINK, _USED):
        for name, value in (await store.list_private(kind)).items():
            if read(value).expires <= now:
                await store.put_private(kind, name, None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
