"""ID tokens of a provider: whether it has signed them, for us, now (OpenID Connect §3.1.3.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from threadwell.users.providers import Provider

#: How tokens may be signed: by a key that the provider alone has. ``none`` and secrets that are
#: shared are not among them, whatever a token says of itself.
ALGORITHMS = {
    **{f"{kind}{bits}": "RSA" for kind in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_SMALLEST_RSA = 2048
LONGEST = 64 * 1024
#: Seconds that two clocks may differ, and after which a token is too old to be of this sign-in.
_APART, _OLDEST = 120, 3600
#: Where tokens say to whom they were given: OpenID Connect, RFC 9068, Okta, Entra.
PARTIES = ("azp", "client_id", "cid", "appid")
#: Among the audiences of a provider: an access token may be for whomever it likes.
ANY = "*"
FOR_OTHERS = (
    "it is for an API that is not named with the provider, or names none: send the ID token, or "
    "name the audience"
)
NOT_OURS = "it was given to another client than us, or the apps that are named with the provider"


class BadToken(Exception):
    """A token that proves nothing; the message says why."""


def header_of(token: str) -> tuple[str, str]:
    """The algorithm and the id of the key (``""`` for none) of a token; raises ``BadToken``."""
    import jwt

    try:
        header = jwt.get_unverified_header(token) if len(token) <= LONGEST else {}
    except Exception:  # noqa: BLE001 - a library reads what anybody may send
        raise BadToken("it is no JWT") from None
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or not isinstance(kid, str):
        raise BadToken("it is not signed in a way that is taken")
    return algorithm, kid


def checked(
    token: str, provider: Provider, keys: Sequence[Any], allowed: Collection[str], now: int
) -> dict[str, Any]:
    """The claims of a token that the provider has signed for us; raises ``BadToken``.

    ``allowed`` are the algorithms that it says it signs with, ``now`` in seconds since 1970. Which
    sign-in it is of (``nonce``) is for the caller to look at.
    """
    algorithm, kid = header_of(token)
    if algorithm not in allowed:
        raise BadToken("it is signed in another way than the provider signs")
    claims = _verified(token, algorithm, _chosen(keys, kid, algorithm))
    named = audience_of(claims)
    if provider.client_id not in named:
        raise BadToken("it is for another client")
    party = claims.get("azp")
    if (len(named) > 1 and party is None) or party not in (None, provider.client_id):
        raise BadToken("it was given to another client")
    return _current(claims, provider, now)


def checked_of_app(
    token: str, provider: Provider, keys: Sequence[Any], now: int, own: Collection[str] = ()
) -> dict[str, Any]:
    """The claims of an ID token, or of an access token that is a JWT (RFC 9068), which the provider
    has given to us or to an app of ours; raises ``BadToken``.

    To whom it was given is what counts: whoever else gets tokens of this provider could come in as
    all of their own users; and so could the owner of an API that is sent an access token
    (``meant_for_us``). How access tokens are signed no provider tells. ``own`` are endpoints of the
    provider's own.
    """
    algorithm, kid = header_of(token)
    claims = _verified(token, algorithm, _chosen(keys, kid, algorithm))
    parties = [claims[name] for name in PARTIES if name in claims]
    named = audience_of(claims)
    holders = parties or named
    if not holders or not all(given_to(provider, one) for one in holders):
        raise BadToken(NOT_OURS)
    if "aud" in claims and is_id_token(claims):
        # Whoever an ID token is for may keep it: with it they must not come in here.
        if not any(given_to(provider, to) for to in named):
            raise BadToken("it is for another client")
    elif not meant_for_us(provider, named if "aud" in claims else (), own):
        raise BadToken(FOR_OTHERS)
    if "events" in claims:
        # A logout token is signed by the same key, for the same client.
        raise BadToken("it is of another kind")
    return _current(claims, provider, now)


def given_to(provider: Provider, client: Any) -> bool:
    """Is that we, or an app of ours, as the provider calls them?"""
    return isinstance(client, str) and client in (provider.client_id, *provider.apps)


def meant_for_us(provider: Provider, audience: Sequence[Any], own: Collection[str]) -> bool:
    """Is an access token for us, our apps, the provider itself or what is named with it, and for
    nobody else?

    An API that is sent one has it, and could come in here with it. One that names no audience may
    have been sent to any.
    """
    if ANY in provider.audiences:
        return True
    clients = (provider.client_id, *provider.apps)
    # Entra calls an API of a client by the client's id, and this before it.
    known = {*clients, *(f"api://{one}" for one in clients), provider.issuer, *own}
    known.update(provider.audiences)
    return bool(audience) and all(isinstance(one, str) and one in known for one in audience)


def is_id_token(claims: Mapping[str, Any]) -> bool:
    """Is it one of those that are for a client alone, and with which nothing can be asked for?"""
    return not any(name in claims for name in ("scope", "scp"))


def audience_of(claims: Mapping[str, Any]) -> list[Any]:
    """For whom it says that it is."""
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _current(claims: dict[str, Any], provider: Provider, now: int) -> dict[str, Any]:
    if claims.get("iss") != provider.issuer:
        raise BadToken("it is of another issuer")
    expires, issued = _time(claims.get("exp")), _time(claims.get("iat"))
    begins = _time(claims.get("nbf", 0))
    if expires is None or issued is None or begins is None:
        raise BadToken("it has no times")
    if expires + _APART <= now or issued - _APART > now or begins - _APART > now:
        raise BadToken("it has expired, or is not good yet: compare the clocks of both servers")
    if issued + _OLDEST + _APART <= now:
        raise BadToken("it is too old")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise BadToken("it names nobody")
    return claims


def _verified(token: str, algorithm: str, keys: Sequence[Any]) -> dict[str, Any]:
    import jwt

    for key in keys:
        try:
            # Time, issuer and audience are looked at by the caller: the time is an argument.
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                    "verify_iss": False,
                },
            )
        except Exception:  # noqa: BLE001, S112 - as above; the next key may be the one
            continue
        return claims
    raise BadToken("it is not signed with a key of the provider's")


def _chosen(keys: Sequence[Any], kid: str, algorithm: str) -> list[Any]:
    """The keys that a token may be signed with: of its kind, and of its id if it has one."""
    import jwt

    found = []
    for one in keys:
        if not _fits(one, kid, algorithm):
            continue
        try:
            key = jwt.PyJWK(one, algorithm=algorithm).key
        except Exception:  # noqa: BLE001, S112 - a key that is none is none of theirs
            continue
        if ALGORITHMS[algorithm] != "RSA" or getattr(key, "key_size", 0) >= _SMALLEST_RSA:
            found.append(key)
    return found


def _fits(one: Mapping[str, Any], kid: str, algorithm: str) -> bool:
    if kid and one.get("kid") != kid:
        return False
    if one.get("kty") != ALGORITHMS[algorithm] or one.get("alg", algorithm) != algorithm:
        return False
    curve = _CURVES.get(algorithm)
    return one.get("use", "sig") == "sig" and "d" not in one and curve in (None, one.get("crv"))


def _time(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 10**11 else None
