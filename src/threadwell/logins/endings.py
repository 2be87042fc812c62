"""Whether a client was removed or a login ended, in whichever process, since one last asked."""

from __future__ import annotations

import secrets

from threadwell.stores.contract import Store

_KIND, _NAME = "ending", "last"


async def last(store: Store) -> bytes | None:
    """What names the last ending, ``None`` if there was none yet."""
    return await store.get_private(_KIND, _NAME)


async def tell(store: Store) -> None:
    """Something has ended: to be told once it has."""
    await store.put_private(_KIND, _NAME, secrets.token_hex(8).encode())
