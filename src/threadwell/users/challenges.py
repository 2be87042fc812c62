"""What passkeys are asked to sign: random, told to one browser, good once and for five minutes."""

from __future__ import annotations

import secrets
from typing import NamedTuple

import msgspec

from threadwell.stores.contract import Store
from threadwell.users.once import keep_once, take_once
from threadwell.users.webauthn import TIMEOUT

#: What for.
ADD, SIGN_IN, SECOND = "add", "sign-in", "second"
_KIND = "passkey-challenge"
_BYTES = 32


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
    challenge = secrets.token_bytes(_BYTES)
    value = msgspec.json.encode(Standing(challenge, purpose, user))
    return New(await keep_once(store, project, _KIND, value, now=now, life=TIMEOUT), challenge)


async def take(
    store: Store, project: str, cookie: str, purpose: str, now: int, user: str = ""
) -> bytes | None:
    """The challenge of a browser, which is used up; ``None`` where it is none, or was before."""
    value = await take_once(store, project, _KIND, cookie, now)
    one = None if value is None else msgspec.json.decode(value, type=Standing)
    return one.challenge if one is not None and (one.purpose, one.user) == (purpose, user) else None
