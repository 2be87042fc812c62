"""The secret that an app's page shows somebody for their authenticator, until they use it."""

from __future__ import annotations

from threadwell.stores.contract import Store
from threadwell.stores.sealing import sealed, unsealed
from threadwell.users.codes import new_secret
from threadwell.users.user import User

#: How long one is offered, in milliseconds.
LIFE = 10 * 60_000
_KIND = "factor-offer"


async def offered(store: Store, user: User, now: int) -> str:
    """The secret that is offered, the same one for a while."""
    value = await store.get_private(_KIND, user.id)
    if value is not None:
        since, _, secret = value.partition(b" ")
        if 0 <= now - int(since) < LIFE:
            return unsealed(secret, "the secret of an authenticator").decode()
    fresh = new_secret()
    kept = b"%d %s" % (now, sealed(fresh.encode()))
    await store.put_private(_KIND, user.id, kept)
    return fresh


async def withdraw(store: Store, user: User) -> None:
    """Offer it no more."""
    await store.put_private(_KIND, user.id, None)
