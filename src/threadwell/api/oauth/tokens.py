"""Access tokens: signed JWTs (RFC 7519) with the claims that Medplum's clients look for."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from threadwell.api.oauth.clients import Client
from threadwell.api.oauth.keys import SigningKey

#: Seconds that a token is good for.
LIFE = 3600
SCOPE = "openid"


class Claims(NamedTuple):
    """What a good access token says: for whom, by which login, until when (seconds since 1970).

    ``generation`` is that of the secret by which its client logged in.
    """

    client_id: str
    login_id: str
    expires: int
    generation: int


class Tokens(NamedTuple):
    """What a login hands out."""

    access: str
    id: str


def issue(key: SigningKey, issuer: str, client: Client, now: int) -> Tokens:
    """Tokens of a new login of ``client``; ``now`` in seconds since 1970."""
    import jwt  # Commands that hand out no token start sooner without it.

    common = {
        "iss": issuer,
        "aud": client.id,
        "sub": client.id,
        "iat": now,
        "nbf": now,
        "exp": now + LIFE,
    }
    profile = f"ClientApplication/{client.id}"
    access = {
        **common,
        "client_id": client.id,
        # Without a login_id @medplum/core never asks for the profile.
        "login_id": str(uuid4()),
        "username": client.id,
        "scope": SCOPE,
        "profile": profile,
        "generation": client.generation,
    }
    identity = {**common, "fhirUser": profile}
    headers = {"kid": key.kid}
    return Tokens(
        jwt.encode(access, key.private, algorithm="ES256", headers=headers),
        jwt.encode(identity, key.private, algorithm="ES256", headers=headers),
    )


def verify(key: SigningKey, issuer: str, token: str, now: int) -> Claims | None:
    """The claims of an access token of ours that is good at ``now``; ``None`` for any other."""
    import jwt

    try:
        claims = jwt.decode(
            token,
            key.public,
            algorithms=["ES256"],
            issuer=issuer,
            # The time is an argument; the audience is the client, whoever that is.
            options={
                "require": ["exp", "iss"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
            },
        )
    except jwt.InvalidTokenError:
        return None
    # An id token has no login_id, so it opens nothing.
    client_id, login_id = claims.get("client_id"), claims.get("login_id")
    if not isinstance(client_id, str) or not isinstance(login_id, str) or claims["exp"] <= now:
        return None
    return Claims(client_id, login_id, claims["exp"], claims.get("generation", 0))
