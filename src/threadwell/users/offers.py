"""The secret that an app's page shows somebody for their authenticator, until they use it."""

from __future__ import annotations

from threadwell.stores.contract import Store
from threadwell.users.codes import new_secret
from threadwell.users.user import User

#: How long one is offered, in milliseconds.
LIFE = 10 * 60_000
_KIND = "factor-offer"


async def offered(store: Store, user: User, now: int) -> str:
    """The secret that is offered, the same one for a while."""
    value = await store.get_private(_KIND, user.id)
    if value is not None:
        since, _, secret = value.decode().partition(" ")
        if 0 <= now - int(since) < LIFE:
            return secret
    secret = new_secret()
    await store.put_private(_KIND, user.id, f"{now} {secret}".encode())
    return secret


async def withdraw(store: Store, user: User) -> None:
    """Offer it no more."""
    await store.put_private(_KIND, user.id, None)
