"""What we sign and later read again: JWTs by ES256 (RFC 7519, RFC 7518 §3.4)."""

from __future__ import annotations

from typing import Any

from threadwell.api.oauth.keys import Keyring, SigningKey


def sign(key: SigningKey, payload: dict[str, Any]) -> str:
    """The token that tells ``payload``."""
    import jwt  # Commands that hand out no token start sooner without it.

    return jwt.encode(payload, key.private, algorithm="ES256", headers={"kid": key.kid})


def told_by(
    ring: Keyring, issuer: str, token: str, now: int, audience: str = ""
) -> dict[str, Any] | None:
    """What a token of ours tells; ``None`` for one that another signed, or for another audience.

    Without ``audience`` anybody's will do. The time is the caller's to compare: ``exp`` is there,
    and ``now`` (seconds since 1970) finds the key alone.
    """
    import jwt

    key = ring.find(token, now)
    if key is None:
        return None
    required = ["exp", "iss", *(("aud", "sub") if audience else ())]
    try:
        told: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["ES256"],
            issuer=issuer,
            audience=audience or None,
            options={
                "require": required,
                "verify_aud": bool(audience),
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidTokenError:
        return None
    return told
