"""What a provider says of somebody, as far as it can be believed: signed by it, and completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.users.id_tokens import BadToken, checked, header_of
from threadwell.users.provider_calls import Described, ProviderCalls
from threadwell.users.providers import Provider
from threadwell.users.signing_in import Wrong

#: RFC 8176: the means that a provider may say, as far as they are known to others.
_MEANS = frozenset(
    [
        *("face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop"),
        *("pwd", "rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia"),
    ]
)


async def believed(
    calls: ProviderCalls, provider: Provider, described: Described, token: str, now: int
) -> dict[str, Any]:
    """The claims of an ID token for us, ``now`` in milliseconds.

    Raises ``Wrong`` and ``ProviderDown``.
    """
    try:
        _, kid = header_of(token)
        keys = await calls.keys(provider, described, kid)
        return checked(token, provider, keys, described.algorithms, now // 1000)
    except BadToken as error:
        raise unbelievable(provider, error) from None


async def completed(
    calls: ProviderCalls,
    provider: Provider,
    described: Described,
    claims: dict[str, Any],
    access: Any,
) -> dict[str, Any]:
    """The same claims, with what an access token gets where something is missing in them.

    Raises ``ProviderDown``.
    """
    if not _lacks(provider, claims) or not isinstance(access, str):
        return claims
    more = await calls.userinfo(provider, described, access)
    if more.get("sub") != claims["sub"]:
        return claims  # OpenID Connect §5.3.2: they may be those of somebody else
    if "email" in claims and more.get("email") != claims["email"]:
        # That one address is verified says nothing of another.
        more = {name: value for name, value in more.items() if name != "email_verified"}
    return {**more, **claims}


def means_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """By which means somebody has signed in there."""
    ways = claims.get("amr")
    return tuple(one for one in ways if one in _MEANS) if isinstance(ways, list) else ()


def unbelievable(provider: Provider, error: BadToken) -> Wrong:
    """What whoever shows a token is told of it."""
    return Wrong(f"what {provider.label} says cannot be believed: {error}")


def _lacks(provider: Provider, claims: Mapping[str, Any]) -> bool:
    """Does something have to be asked for that is not in an ID token?"""
    root = provider.roles_claim.partition(".")[0]
    has_role = not root or root in claims or provider.roles_claim in claims
    return "email" not in claims or not has_role
