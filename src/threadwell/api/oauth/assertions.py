"""A client that proves by a signature who it is: ``private_key_jwt`` (RFC 7523, SMART App Launch
§5.1, backend services).

The client's public keys are registered, or fetched from where it says that they are: within limits
of time and size, from no private network unless the practice allows the host.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from threadwell.api.oauth.clients import Client
from threadwell.calls.call import Call, Caller, CallFailed
from threadwell.calls.client import HttpCaller
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Store
from threadwell.subscriptions.hook_states import hosts

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}
#: Seconds that an assertion may be good for at most.
MOST = 300
#: Seconds that two clocks may differ.
_APART = 30
#: Milliseconds that fetched keys are used, and between two fetches for one that is not among them.
_FRESH, _AGAIN = 300_000, 30_000
_MOST_BYTES = 256 * 1024
_SECONDS = 10.0
_MOST_KEYS = 50
_SMALLEST_RSA = 2048
LONGEST = 8 * 1024
_MOST_REMEMBERED = 500
_SEEN = "assertion"
#: Those that are forgotten whenever one is seen.
_SWEPT = 20


class BadAssertion(Exception):
    """An assertion that proves nothing; the message says why."""


class _Fetched(NamedTuple):
    at: int
    keys: list[Any]


class Assertions:
    """Checks assertions that are made for ``audiences``; ``call`` makes the client of fetches."""

    def __init__(
        self,
        store: Store,
        project: str,
        audiences: frozenset[str],
        clock: Clock,
        call: Callable[[], Caller] = lambda: HttpCaller(at_once=4),
    ) -> None:
        self._store = store
        self._project = project
        self._audiences = audiences
        self._clock = clock
        self._make = call
        self._caller: Caller | None = None
        self._fetched: dict[str, _Fetched] = {}

    async def check(self, client: Client, text: str) -> None:
        """Raise ``BadAssertion`` unless the client has signed that, for us, now and for once."""
        import jwt

        try:
            header = jwt.get_unverified_header(text) if len(text) <= LONGEST else {}
        except malformed():
            raise BadAssertion("The assertion is no JWT") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise BadAssertion(f"The assertion must be signed with {' or '.join(ALGORITHMS)}")
        if not isinstance(kid, str) or not kid:
            raise BadAssertion("The assertion must name its key (kid)")
        claims = None
        for key in await self._keys(client, kid, algorithm):
            try:
                # The time is an argument; the rest is looked at below.
                claims = jwt.decode(
                    text,
                    key,
                    algorithms=[algorithm],
                    options={
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_aud": False,
                    },
                )
            except malformed():
                continue
            break
        if claims is None:
            raise BadAssertion("The assertion is not signed with a key of the client's")
        await self._judge(client, claims)

    async def _judge(self, client: Client, claims: Mapping[str, Any]) -> None:
        now = self._clock() // 1000
        if claims.get("iss") != client.id or claims.get("sub") != client.id:
            raise BadAssertion("iss and sub must both be the client's id")
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(one, str) and one in self._audiences for one in named):
            raise BadAssertion("aud must be the URL of the token endpoint")
        expires, begins = _time(claims.get("exp")), _time(claims.get("nbf", 0))
        if expires is None or begins is None:
            raise BadAssertion("exp must be a time")
        if expires <= now or begins > now + _APART:
            raise BadAssertion("The assertion has expired, or is not good yet")
        if expires > now + MOST + _APART:
            raise BadAssertion("exp must be within five minutes")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise BadAssertion("The assertion needs a jti")
        digest = hashlib.sha256(f"{client.id}\n{jti}".encode(errors="surrogatepass")).hexdigest()
        # What is signed has one time: with another it would be another assertion.
        name = f"{expires:012d}/{digest}"
        if not await self._store.put_private(_SEEN, name, b"", only_new=True):
            raise BadAssertion("The assertion was used before")
        await self._forget(now)

    async def _keys(self, client: Client, kid: str, algorithm: str) -> list[Any]:
        given = (client.jwks or {}).get("keys", [])
        found = _chosen(given, kid, algorithm)
        if found or not client.jwks_uri:
            return found
        return _chosen(await self._fetch(client.jwks_uri, kid), kid, algorithm)

    async def _fetch(self, url: str, kid: str) -> list[Any]:
        now = self._clock()
        known = self._fetched.get(url)
        if known is not None:
            has_it = any(isinstance(one, dict) and one.get("kid") == kid for one in known.keys)
            if now < known.at + (_FRESH if has_it else _AGAIN):
                return known.keys
        if self._caller is None:
            self._caller = self._make()
        allowed = await hosts(self._store, self._project)
        headers = {"accept": "application/json"}
        call = Call("GET", url, headers, hosts=allowed, most=_MOST_BYTES, seconds=_SECONDS)
        keys: list[Any] = []
        try:
            answer = await self._caller.call(call)
            told = decode(answer.body) if answer.status == 200 else None
            if isinstance(told, dict) and isinstance(told.get("keys"), list):
                keys = told["keys"][:_MOST_KEYS]
        except (CallFailed, BadJson):
            # Those that it had a moment ago are as good as any.
            keys = known.keys if known is not None and now < known.at + 10 * _FRESH else []
        if len(self._fetched) >= _MOST_REMEMBERED:
            self._fetched.clear()
        self._fetched[url] = _Fetched(now, keys)
        return keys

    async def _forget(self, now: int) -> None:
        for name in await self._store.list_private(_SEEN, count=_SWEPT):
            if int(name.partition("/")[0]) + _APART >= now:
                return
            await self._store.put_private(_SEEN, name, None)


def malformed() -> tuple[type[Exception], ...]:
    """What PyJWT raises for what is no JWT of ours: members of any type, nested as deep as fits."""
    import jwt

    wrong_types = (TypeError, AttributeError, KeyError)
    return (jwt.PyJWTError, ValueError, RecursionError, *wrong_types)


def checked_jwks(value: Any) -> dict[str, Any]:
    """A client's set of public keys; raises ``ValueError`` for what is none that may be used."""
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= _MOST_KEYS:
        raise ValueError("a JWKS has some keys")
    for key in keys:
        kid = key.get("kid") if isinstance(key, dict) else None
        if not isinstance(kid, str) or not kid:
            raise ValueError("each key needs a kid")
        if "d" in key or "k" in key:
            raise ValueError(
                f"the key {kid[:40]!r} has its private half: give the public one alone"
            )
        if not any(_chosen([key], kid, algorithm) for algorithm in ALGORITHMS):
            known = " or ".join(ALGORITHMS)
            raise ValueError(f"the key {kid[:40]!r} is none for {known}")
    return {"keys": keys}


def _chosen(keys: Any, kid: str, algorithm: str) -> list[Any]:
    """The keys of that id that fit the algorithm: public, and none that is shared."""
    import jwt

    found = []
    for one in keys if isinstance(keys, list) else []:
        if not isinstance(one, dict) or one.get("kid") != kid or "d" in one or "k" in one:
            continue
        if one.get("kty") != ALGORITHMS[algorithm] or one.get("alg", algorithm) != algorithm:
            continue
        if one.get("use", "sig") != "sig":
            continue
        if algorithm == "ES384" and one.get("crv") != "P-384":
            continue
        try:
            key = jwt.PyJWK(one, algorithm=algorithm).key
        except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError, TypeError, KeyError):
            continue
        if getattr(key, "key_size", 0) >= (_SMALLEST_RSA if algorithm == "RS384" else 384):
            found.append(key)
    return found


def _time(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 10**11 else None
