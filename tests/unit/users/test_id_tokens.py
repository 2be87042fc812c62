"""ID tokens: what a provider must have signed for us, and what is none of its signing."""

from __future__ import annotations

from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from threadwell.users.id_tokens import ALGORITHMS, BadToken, checked, header_of
from threadwell.users.providers import Provider

NOW = 1_710_072_000
ISSUER = "https://id.example.org/clinic"
PROVIDER = Provider("clinic", "Clinic ID", ISSUER, "threadwell")
GOOD = {
    "iss": ISSUER,
    "aud": "threadwell",
    "sub": "person-1",
    "iat": NOW,
    "exp": NOW + 300,
    "nonce": "n",
}


@cache
def rsa_key(bits: int = 2048) -> Any:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else None
    algorithm = kind or jwt.algorithms.ECAlgorithm
    told = algorithm.to_jwk(key.public_key(), as_dict=True)
    return {**told, "kid": "one", "use": "sig", **more}


def signed(claims: dict[str, Any], key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
    return jwt.encode(claims, key or rsa_key(), algorithm, {"kid": "one", **header})


def claims_of(token: str, keys: list[Any] | None = None, allowed: Any = ALGORITHMS) -> Any:
    given_keys = [jwk(rsa_key())] if keys is None else keys
    return checked(token, PROVIDER, given_keys, allowed, NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": ["threadwell"]},
        {"aud": ["threadwell", "another"], "azp": "threadwell"},
        {"azp": "threadwell"},
        {"exp": NOW - 100, "iat": NOW - 200},
        {"iat": NOW + 100, "nbf": NOW + 100},
        {"exp": NOW + 0.5},
    ],
)
def test_a_good_one_is_believed(claims: dict[str, Any]) -> None:
    assert claims_of(signed({**GOOD, **claims}))["sub"] == "person-1"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://id.example.org/other"}, "another issuer"),
        ({"iss": f"{ISSUER}/"}, "another issuer"),
        ({"aud": "another"}, "another client"),
        ({"aud": ["another"]}, "another client"),
        ({"aud": []}, "another client"),
        ({"aud": {"threadwell": 1}}, "client"),
        ({"aud": ["threadwell", "another"]}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"azp": 7}, "another client"),
        ({"exp": NOW - 300}, "expired"),
        ({"exp": "soon"}, "no times"),
        ({"exp": True}, "no times"),
        ({"exp": -1}, "no times"),
        ({"iat": None}, "no times"),
        ({"iat": NOW + 300}, "not good yet"),
        ({"nbf": NOW + 300}, "not good yet"),
        ({"iat": NOW - 4000}, "too old"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
        ({"sub": 7}, "signed|nobody"),
    ],
)
def test_what_is_wrong_with_one_is_told(claims: dict[str, Any], why: str) -> None:
    with pytest.raises(BadToken, match=why):
        claims_of(signed({**GOOD, **claims}))


def test_what_is_not_there_is_wrong() -> None:
    for name in ("iss", "aud", "sub", "iat", "exp"):
        claims = {key: value for key, value in GOOD.items() if key != name}
        with pytest.raises(BadToken):
            claims_of(signed(claims))


@pytest.mark.parametrize("case", range(9))
def test_a_key_that_is_not_the_providers_signs_nothing(case: int) -> None:
    rsa_one, ec_one = rsa_key(), ec_key()
    other = rsa.generate_private_key(65537, 2048) if case == 0 else rsa_one
    token, keys, allowed = [
        (lambda: signed(GOOD, other), None, ALGORITHMS),
        (lambda: jwt.encode(GOOD, "", "none", {"kid": "one"}), None, ALGORITHMS),
        # The public half as a shared secret: what is asked of a key is told by us.
        (lambda: jwt.encode(GOOD, "n" * 64, "HS256", {"kid": "one"}), None, ALGORITHMS),
        (lambda: signed(GOOD), [jwk(rsa_one, use="enc")], ALGORITHMS),
        (lambda: signed(GOOD), [jwk(rsa_one, alg="PS256")], ALGORITHMS),
        (lambda: signed(GOOD), [jwk(rsa_one, kid="two")], ALGORITHMS),
        (lambda: signed(GOOD), None, ["ES256"]),
        (lambda: signed(GOOD, ec_one, "ES256"), [jwk(ec_one, crv="P-384")], ALGORITHMS),
        (
            lambda: signed(GOOD),
            [{"kid": "one", "kty": "RSA", "n": "AQAB", "e": "AQAB"}, {}, 7],
            None,
        ),
    ][case]
    if case == 8:
        keys, allowed = [one for one in keys if isinstance(one, dict)], ALGORITHMS
    with pytest.raises(BadToken):
        claims_of(token(), keys, allowed)


def test_an_rsa_key_that_is_short_is_none() -> None:
    short = rsa_key(1024)
    with pytest.raises(BadToken):
        claims_of(signed(GOOD, short), [jwk(short)])


def test_a_token_without_the_id_of_its_key_is_tried_with_each() -> None:
    token = jwt.encode(GOOD, ec_key(), "ES256")
    assert claims_of(token, [jwk(rsa_key()), jwk(ec_key(), kid="two")])["sub"] == "person-1"


@given(st.text(max_size=60) | st.lists(st.text('eyJ.AQ-_{}":', max_size=9)).map(".".join))
def test_whatever_is_sent_is_no_token(text: str) -> None:
    for call in (lambda: header_of(text), lambda: claims_of(text)):
        with pytest.raises(BadToken):
            call()
