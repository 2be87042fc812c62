"""What a browser is expected to come back with: kept for a while, and good once.

The store has the digest of the browser's cookie alone, so that a copy of it helps nobody.
"""

from __future__ import annotations

import hashlib
import secrets

from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_DIGITS = 15
#: Those that are forgotten whenever one is kept.
_SWEPT = 50


async def keep_once(
    store: Store, project: str, kind: str, value: bytes, *, now: int, life: int
) -> str:
    """Keep a value for ``life`` milliseconds; the cookie that gets it."""
    await _forget(store, kind, now)
    cookie = f"{now + life:0{_DIGITS}d}.{secrets.token_urlsafe(32)}"
    kept = (Kept(kind, _name(cookie), value, before=None),)
    await store.commit(project, ChangeSet((), kept=kept))
    return cookie


async def take_once(store: Store, project: str, kind: str, cookie: str, now: int) -> bytes | None:
    """The value of a cookie, which is used up; ``None`` where it is none, or was before.

    Of many who take it at once, one gets it.
    """
    until = cookie.partition(".")[0]
    if not (len(until) == _DIGITS and until.isascii() and until.isdecimal()) or int(until) <= now:
        return None
    name = _name(cookie)
    value = await store.get_private(kind, name)
    if value is None:
        return None
    try:
        used = (Kept(kind, name, None, before=value),)
        await store.commit(project, ChangeSet((), kept=used))
    except Conflict:
        return None
    return value


async def _forget(store: Store, kind: str, now: int) -> None:
    for name in await store.list_private(kind, count=_SWEPT):
        if int(name.partition("/")[0]) > now:
            return
        await store.put_private(kind, name, None)


def _name(cookie: str) -> str:
    """As the store has it, the first that ends first."""
    return f"{cookie.partition('.')[0]}/{hashlib.sha256(cookie.encode()).hexdigest()}"
