"""Access tokens and ID tokens: signed JWTs (RFC 7519) with the claims that Medplum's clients look
for.
"""

from __future__ import annotations

from typing import Any

from threadwell.api.claims import Claims, read_claims
from threadwell.api.oauth.keys import Keyring, SigningKey
from threadwell.api.oauth.signed import sign, told_by
from threadwell.logins.login import LIFE

#: What a client that asks for nothing is told that it has.
SCOPE = "openid"


def access_token(key: SigningKey, issuer: str, claims: Claims, now: int, **told: str) -> str:
    """A token that opens what its claims say; ``now`` in seconds since 1970.

    ``told`` are members that clients read: ``sub``, ``username``, ``profile``.
    """
    payload = {
        **_common(issuer, claims.client_id, now),
        **claims.written(),
        **told,
        "exp": claims.expires,
    }
    return sign(key, payload)


def id_token(key: SigningKey, issuer: str, client_id: str, now: int, **told: Any) -> str:
    """An ID token (OpenID Connect §2): it says who has signed in, and opens nothing."""
    given = {name: value for name, value in told.items() if value not in ("", 0, ())}
    return sign(key, {**_common(issuer, client_id, now), **given, "exp": now + LIFE})


def verify(ring: Keyring, issuer: str, token: str, now: int) -> Claims | None:
    """The claims of an access token of ours that is good at ``now``; ``None`` for any other."""
    told = told_by(ring, issuer, token, now)
    if told is None:
        return None
    claims = read_claims(told)
    # An ID token has no login_id, so it opens nothing.
    return claims if claims and claims.login_id and claims.expires > now else None


def _common(issuer: str, client_id: str, now: int) -> dict[str, Any]:
    return {"iss": issuer, "aud": client_id, "iat": now, "nbf": now}
