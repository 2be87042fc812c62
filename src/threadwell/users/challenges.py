"""What passkeys are asked to sign: random, told to one browser, good once and for five minutes."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

import msgspec

from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store
from threadwell.users.webauthn import TIMEOUT

#: What for.
ADD, SIGN_IN, SECOND = "add", "sign-in", "second"
_KIND = "passkey-challenge"
_BYTES = 32
#: Those that are forgotten whenever one is made.
_SWEPT = 50


class Standing(msgspec.Struct, frozen=True):
    """A challenge as it is kept; ``user`` is the id of whose it is, ``""`` for anybody's."""

    challenge: bytes
    purpose: str
    user: str = ""


class New(NamedTuple):
    """A challenge, and what its browser keeps as a cookie."""

    cookie: str
    challenge: bytes


async def new_challenge(store: Store, project: str, purpose: str, now: int, user: str = "") -> New:
    """A challenge for a browser."""
    await _forget(store, now)
    until, token, challenge = now + TIMEOUT, secrets.token_urlsafe(32), secrets.token_bytes(_BYTES)
    cookie = f"{until:015d}.{token}"
    value = msgspec.json.encode(Standing(challenge, purpose, user))
    kept = (Kept(_KIND, _name(cookie), value, before=None),)
    await store.commit(project, ChangeSet((), kept=kept))
    return New(cookie, challenge)


async def take(
    store: Store, project: str, cookie: str, purpose: str, now: int, user: str = ""
) -> bytes | None:
    """The challenge of a browser, which is used up; ``None`` where it is none, or was before.

    Of many who take it at once, one gets it.
    """
    until = cookie.partition(".")[0]
    if not (len(until) == 15 and until.isascii() and until.isdecimal()) or int(until) <= now:
        return None
    name = _name(cookie)
    value = await store.get_private(_KIND, name)
    one = None if value is None else msgspec.json.decode(value, type=Standing)
    if one is None or (one.purpose, one.user) != (purpose, user):
        return None
    try:
        used = (Kept(_KIND, name, None, before=value),)
        await store.commit(project, ChangeSet((), kept=used))
    except Conflict:
        return None
    return one.challenge


async def _forget(store: Store, now: int) -> None:
    for name in await store.list_private(_KIND, count=_SWEPT):
        if int(name.partition("/")[0]) > now:
            return
        await store.put_private(_KIND, name, None)


def _name(cookie: str) -> str:
    """As the store has it, the first that ends first; nobody gets a cookie out of it."""
    return f"{cookie.partition('.')[0]}/{hashlib.sha256(cookie.encode()).hexdigest()}"
