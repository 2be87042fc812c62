"""What is asked of an identity provider: its description, its keys, and tokens for a code.

Descriptions and keys are remembered for a while, and used beyond that while it does not answer. A
key that is not among those that are known is looked for anew: providers change them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from threadwell.calls.call import Call, Called, Caller, CallFailed
from threadwell.calls.client import HttpCaller
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.stamp import Clock
from threadwell.users.providers import Provider, is_called

#: Where a provider describes itself, below its issuer (OpenID Connect Discovery §4).
WELL_KNOWN = "/.well-known/openid-configuration"
#: Milliseconds that what was fetched is used, is used where nothing newer can be had, and between
#: two looks for a key that is not there.
_FRESH, _STALE, _AGAIN = 3_600_000, 24 * 3_600_000, 30_000
_MOST_BYTES = 512 * 1024
_SECONDS = 10.0
_MOST_KEYS = 100


class ProviderDown(Exception):
    """It does not answer, or not as it should; the message says how, in plain words."""


class Described(NamedTuple):
    """What a provider says of itself; an endpoint is ``""`` where it has none."""

    authorize: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    introspect: str
    algorithms: frozenset[str]
    posts_secret: bool
    names_itself: bool


class _Known(NamedTuple):
    at: int
    told: dict[str, Any]


class ProviderCalls:
    """The calls of a process; ``caller`` makes them."""

    def __init__(self, clock: Clock, caller: Caller | None = None) -> None:
        self._clock = clock
        self._caller = caller
        self._known: dict[tuple[str, tuple[str, ...]], _Known] = {}
        self._looked: dict[str, int] = {}

    async def described(self, provider: Provider) -> Described:
        """What it says of itself; raises ``ProviderDown``."""
        url = provider.issuer.rstrip("/") + WELL_KNOWN
        told = await self._fetched(provider, url, _FRESH)
        if told.get("issuer") != provider.issuer:
            raise ProviderDown(f"{url} names another issuer: {str(told.get('issuer'))[:200]!r}")
        ways = told.get("token_endpoint_auth_methods_supported")
        methods = ways if isinstance(ways, list) else ["client_secret_basic"]
        signs = told.get("id_token_signing_alg_values_supported")
        described = Described(
            authorize=_url(provider, told, "authorization_endpoint"),
            token=_url(provider, told, "token_endpoint"),
            keys=_url(provider, told, "jwks_uri"),
            userinfo=_url(provider, told, "userinfo_endpoint"),
            end_session=_url(provider, told, "end_session_endpoint"),
            introspect=_url(provider, told, "introspection_endpoint"),
            algorithms=frozenset(
                [one for one in signs if isinstance(one, str)]
                if isinstance(signs, list)
                else ["RS256"]
            ),
            posts_secret="client_secret_basic" not in methods and "client_secret_post" in methods,
            names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        )
        if not (described.authorize and described.token and described.keys):
            raise ProviderDown(f"{url} names no endpoints that can be used")
        return described

    async def keys(self, provider: Provider, described: Described, kid: str) -> list[Any]:
        """Its keys; asked for anew where none of them is ``kid``. Raises ``ProviderDown``."""
        keys = _keys(await self._fetched(provider, described.keys, _FRESH))
        now = self._clock()
        is_known = not kid or any(one.get("kid") == kid for one in keys)
        if not is_known and not 0 <= now - self._looked.get(described.keys, -_AGAIN) < _AGAIN:
            self._looked[described.keys] = now
            keys = _keys(await self._fetched(provider, described.keys, 0))
        return keys

    async def exchanged(
        self, provider: Provider, described: Described, form: Mapping[str, str]
    ) -> dict[str, Any]:
        """What it gives for a code (RFC 6749 §4.1.3); raises ``ProviderDown``."""
        headers, told = _proving(provider, described, form)
        body = urlencode(told).encode()
        answer = await self._call(provider, "POST", described.token, headers, body)
        found = _object(answer)
        if answer.status != 200 or not isinstance(found.get("id_token"), str):
            error = found.get("error")
            why = error if isinstance(error, str) and error.isprintable() else "no ID token"
            raise ProviderDown(f"it gives no tokens ({answer.status}, {why[:80]})")
        return found

    async def introspected(
        self, provider: Provider, described: Described, token: str
    ) -> dict[str, Any]:
        """What it says of an access token (RFC 7662 §2.2); raises ``ProviderDown``."""
        form = {"token": token, "token_type_hint": "access_token"}
        headers, told = _proving(provider, described, form)
        body = urlencode(told).encode()
        answer = await self._call(provider, "POST", described.introspect, headers, body)
        if answer.status != 200:
            raise ProviderDown(f"it does not tell of access tokens ({answer.status})")
        return _object(answer)

    async def userinfo(
        self, provider: Provider, described: Described, token: str
    ) -> dict[str, Any]:
        """Further claims (OpenID Connect §5.3); none where it has no such endpoint.

        Raises ``ProviderDown``.
        """
        if not described.userinfo or not token.isascii() or not token.isprintable():
            return {}
        headers = {"accept": "application/json", "authorization": f"Bearer {token}"}
        answer = await self._call(provider, "GET", described.userinfo, headers)
        if answer.status != 200:
            raise ProviderDown(f"it does not tell who has signed in ({answer.status})")
        return _object(answer)

    async def _fetched(self, provider: Provider, url: str, fresh: int) -> dict[str, Any]:
        now, key = self._clock(), (url, provider.hosts)
        known = self._known.get(key)
        if known is not None and 0 <= now - known.at < fresh:
            return known.told
        try:
            answer = await self._call(provider, "GET", url, {"accept": "application/json"})
            if answer.status != 200:
                raise ProviderDown(f"{url} answers {answer.status}")
            told = _object(answer)
        except ProviderDown:
            if known is None or not 0 <= now - known.at < _STALE:
                raise
            return known.told
        self._known[key] = _Known(now, told)
        return told

    async def _call(
        self,
        provider: Provider,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> Called:
        if self._caller is None:
            self._caller = HttpCaller(at_once=8)
        call = Call(
            *(method, url, headers, body, provider.hosts),
            most=_MOST_BYTES,
            seconds=_SECONDS,
        )
        try:
            return await self._caller.call(call)
        except CallFailed as error:
            raise ProviderDown(str(error)) from None


def _proving(
    provider: Provider, described: Described, form: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The header and the form of a request that proves who we are."""
    headers = {
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
    }
    told = dict(form)
    secret = provider.plain_secret()
    if secret and not described.posts_secret:
        # RFC 6749 §2.3.1: both are form-encoded within the header.
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        told["client_id"] = provider.client_id
        told |= {"client_secret": secret} if secret else {}
    return headers, told


def _object(answer: Called) -> dict[str, Any]:
    try:
        told = decode(answer.body)
    except BadJson:
        told = None
    if not isinstance(told, dict):
        raise ProviderDown("its answer is no JSON object")
    return told


def _keys(told: Mapping[str, Any]) -> list[Any]:
    keys = told.get("keys")
    found = keys[:_MOST_KEYS] if isinstance(keys, list) else []
    return [one for one in found if isinstance(one, dict)]


def _url(provider: Provider, told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) and is_called(value, provider.hosts) else ""
