"""Tokens that bind a socket to a Subscription: made for who may read it, good for an hour.

A socket has no headers that a browser could set, so what opens it is said within it.
"""

from __future__ import annotations

from typing import NamedTuple

from threadwell.api.claims import Claims, read_claims
from threadwell.api.oauth.keys import Keyring, SigningKey
from threadwell.api.oauth.signed import sign, told_by

#: Seconds that a token is good for.
LIFE = 3600
#: What tells it from an access token, which has another audience and a login.
_AUDIENCE = "ws-subscriptions-r4"


class Binding(NamedTuple):
    """For which Subscription, and with which claims it was asked for."""

    subscription: str
    claims: Claims


def issue(key: SigningKey, issuer: str, binding: Binding, now: int) -> str:
    """The token; ``now`` in seconds since 1970."""
    told = {
        **binding.claims.written(),
        "iss": issuer,
        "aud": _AUDIENCE,
        "sub": binding.subscription,
        "exp": now + LIFE,
    }
    # An access token has this member: what binds a socket opens nothing else.
    told["bound_login"] = told.pop("login_id", "")
    return sign(key, told)


def read(ring: Keyring, issuer: str, token: str, now: int) -> Binding | None:
    """What a token of ours that is good at ``now`` binds; ``None`` for any other."""
    told = told_by(ring, issuer, token, now, _AUDIENCE)
    if told is None:
        return None
    claims = read_claims({**told, "login_id": told.get("bound_login")})
    if claims is None or claims.expires <= now:
        return None
    return Binding(told["sub"], claims)
