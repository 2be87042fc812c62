"""A provider elsewhere, as far as our side of a sign-in sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from threadwell.calls.call import Call, Called, CallFailed
from threadwell.users.outside import Back, Outside
from threadwell.users.provider_calls import ProviderCalls
from threadwell.users.providers import (
    Provider,
    keep_provider,
    parse_provider,
)
from threadwell.users.signing_in import From

ISSUER = "https://id.example.org/clinic"


HERE = From("192.0.2.1")


BACK = "https://threadwell.example.org/sign-in/back/clinic"


TOLD = {"issuer": ISSUER, "client_id": "threadwell", "secret": "s3:cret/+", "label": "Clinic ID"}


ROBIN = "robin@clinic.example.org"


class Elsewhere:
    """The provider as our calls meet it; each part of what it says may be told to be otherwise."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = "one"
        self.described: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/me",
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        self.claims: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        self.asked: list[Call] = []
        self.down = False
        self.status = 200

    async def call(self, call: Call) -> Called:
        self.asked.append(call)
        if self.down:
            raise CallFailed("id.example.org took too long", again=True)
        told = {
            "/clinic/.well-known/openid-configuration": lambda: self.described,
            "/clinic/keys": lambda: {"keys": [self._jwk()]},
            "/clinic/token": self._token,
            "/clinic/me": lambda: self.more,
        }[urlsplit(call.url).path]()
        return Called(self.status, {}, json.dumps(told).encode())

    def turn_key(self) -> None:
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), f"{self.kid}+"

    def count(self, path: str) -> int:
        return sum(urlsplit(one.url).path == path for one in self.asked)

    def _jwk(self) -> dict[str, Any]:
        told = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**told, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def _token(self) -> dict[str, Any]:
        now = self.house.now // 1000
        claims = {
            "iss": ISSUER,
            "aud": "threadwell",
            "sub": "person-1",
            "iat": now,
            "exp": now + 60,
            **self.claims,
        }
        token = jwt.encode(claims, self.key, "ES256", {"kid": self.kid})
        return {"id_token": token, "access_token": "opens-it"}


class Way:
    """Somebody's browser on its way to the provider and back."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.elsewhere = Elsewhere(house)
        self.provider = parse_provider("clinic", TOLD)
        self.outside = self.another()

    def another(self) -> Outside:
        """That of another process."""
        calls = ProviderCalls(self.house.clock, self.elsewhere)
        return Outside(self.house.store, self.house.project, calls, self.house.clock)

    def set(self, **told: Any) -> Provider:
        self.provider = parse_provider("clinic", {**TOLD, **told})
        self.house.run(keep_provider(self.house.store, self.house.project, self.provider))
        return self.provider

    def begin(self, **more: Any) -> tuple[dict[str, str], str]:
        away = self.house.run(self.outside.begin(self.provider, BACK, HERE, **more))
        asked = {name: one[0] for name, one in parse_qs(urlsplit(away.url).query).items()}
        self.elsewhere.claims.setdefault("nonce", asked["nonce"])
        return asked, away.cookie

    def finish(self, cookie: str, answer: Mapping[str, str]) -> Back:
        # It comes back to another process than it was sent away from.
        back: Back = self.house.run(self.another().finish(self.provider, cookie, answer, HERE))
        return back

    def go(self, begin: dict[str, Any] | None = None, **claims: Any) -> Back:
        """All of it, with those claims."""
        self.elsewhere.claims = claims
        asked, cookie = self.begin(**(begin or {}))
        return self.finish(cookie, {"code": "c", "state": asked["state"]})


def is_robin(**more: Any) -> dict[str, Any]:
    return {"email": ROBIN, "email_verified": True, **more}
