"""Between the password and the code: what a browser has shown so far, for ten minutes."""

from __future__ import annotations

import hashlib
import secrets

from threadwell.projects.hints import marked
from threadwell.stores.contract import Store
from threadwell.users.browsers import SignIn, read, written
from threadwell.users.user import User

#: How long somebody may look for their telephone, in milliseconds.
LIFE = 10 * 60_000
_KIND = "sign-in-step"


async def new_step(store: Store, project: str, user: User, now: int) -> str:
    """What a browser keeps as a cookie until the code is there."""
    for name, value in (await store.list_private(_KIND, count=200)).items():
        if read(value).expires <= now:
            await store.put_private(_KIND, name, None)
    token = marked(secrets.token_urlsafe(32), project)
    one = SignIn(now + LIFE, user=user.id, epoch=user.epoch)
    await store.put_private(_KIND, _digest(token), written(one))
    return token


async def step_of(store: Store, token: str, now: int) -> SignIn | None:
    """Whose password was right; ``None`` where it is too long ago."""
    value = await store.get_private(_KIND, _digest(token)) if token else None
    one = None if value is None else read(value)
    return one if one is not None and one.expires > now else None


async def end_step(store: Store, token: str) -> None:
    """It is done."""
    await store.put_private(_KIND, _digest(token), None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
