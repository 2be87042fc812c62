"""Clients that prove by a signature who they are, and those who try to without their key."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from threadwell.api.clients import add_client
from threadwell.api.oauth.assertions import TYPE, checked_jwks
from threadwell.api.oauth.clients import find_client
from threadwell.subscriptions.hook_states import allow_host

FORM = "application/x-www-form-urlencoded"
RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
CURVE = ec.generate_private_key(ec.SECP384R1())
OTHER = ec.generate_private_key(ec.SECP384R1())
SMALL = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    made = jwt.algorithms.get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": kid}


KEYS = {"keys": [public(RSA, "r", "RS384"), public(CURVE, "e", "ES384")]}


@pytest.fixture
def client(api) -> str:
    return api.run(add_client(api.store, "backend", jwks=KEYS, admin=False)).client_id


@pytest.fixture(scope="module")
def shared_client(shared_api) -> str:
    added = add_client(shared_api.store, "backend", jwks=KEYS, admin=False)
    return shared_api.run(added).client_id


def asserted(api, client: str, key: Any = CURVE, **changed: Any) -> str:
    now = api.clock.now // 1000
    header = changed.pop("header", {"kid": "e"})
    algorithm = changed.pop("algorithm", "ES384")
    claims = {
        "iss": client,
        "sub": client,
        "aud": f"{api.url}/oauth2/token",
        "exp": now + 240,
        "jti": f"j-{len(_USED)}",
        **changed,
    }
    _USED.append(1)
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, key, algorithm=algorithm, headers=header)


_USED: list[int] = []


def ask(api, assertion: str, **form: str) -> Any:
    given = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
        "scope": "system/Patient.rs",
        **form,
    }
    body = urlencode(given).encode()
    return api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=None)


def test_a_signature_is_as_good_as_a_secret(api, client) -> None:
    for key, kid, algorithm in ((CURVE, "e", "ES384"), (RSA, "r", "RS384")):
        made = asserted(api, client, key, header={"kid": kid}, algorithm=algorithm)
        answer = ask(api, made)
        assert answer.status_code == 200, answer.text
        header = f"Bearer {answer.json()['access_token']}"
        assert api.call("GET", "Patient", authorization=header).status_code == 200
        assert api.call("GET", "Task", authorization=header).status_code == 403
        assert ask(api, made).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"sub": None},
        {"aud": "https://other.example.org/oauth2/token"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 10**10},
        {"exp": "tomorrow"},
        {"nbf": 9_999_999_999},
        {"jti": None},
        {"jti": ""},
        {"key": OTHER},
        {"key": SMALL, "algorithm": "ES256"},
        {"header": {}},
        {"header": {"kid": "r"}},
        {"header": {"kid": "../e"}},
        {"header": {"kid": "e' OR 1=1"}},
        {"key": RSA, "algorithm": "RS384"},
        {"key": RSA, "algorithm": "RS256", "header": {"kid": "r"}},
        {"key": RSA, "algorithm": "PS384", "header": {"kid": "r"}},
        {"key": "", "algorithm": "none"},
        {"key": "secret" * 10, "algorithm": "HS384"},
        {"header": {"kid": "x", "jwk": public(OTHER, "x", "ES384")}, "key": OTHER},
        {"header": {"kid": "x", "jku": "https://evil.example/keys"}, "key": OTHER},
    ],
)
def test_what_proves_nothing(shared_api, shared_client, changed) -> None:
    key = changed.get("key", CURVE)
    rest = {name: value for name, value in changed.items() if name != "key"}
    answer = ask(shared_api, asserted(shared_api, shared_client, key, **rest))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def raw(header: Any, claims: Any) -> str:
    """An assertion of anything; its signature is none."""

    def part(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.AAAA"


HEAD = {"alg": "ES384", "kid": "e"}
DEEP = "[" * 5_000


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        *((HEAD, {"iss": one}) for one in ("\ud800", "\0", "", [], {}, 7, None, "x" * 9_000)),
        *(({**HEAD, "alg": one}, {}) for one in ([], {}, [["ES384"]], 7, None, "\ud800")),
        *(({**HEAD, "kid": one}, {}) for one in ([], {}, 7, "\ud800", "\0")),
        *(({**HEAD, name: one}, {}) for name in ("crit", "b64", "typ") for one in ([], {}, False)),
        *(
            (HEAD, {name: one})
            for name in ("sub", "aud", "exp", "jti")
            for one in ([], {}, "\ud800")
        ),
        *((one, {}) for one in ([], 7, None, "", DEEP, f'{{"a":{DEEP}', "9" * 5_000)),
        *((HEAD, one) for one in ([], 7, None, "", DEEP, f'{{"a":{DEEP}', "9" * 5_000)),
    ],
)
def test_nonsense_proves_nothing(shared_api, shared_client, header: Any, claims: Any) -> None:
    told = {"iss": shared_client, **claims} if isinstance(claims, dict) else claims
    answer = ask(shared_api, raw(header, told))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_signed_jti_of_half_a_character_is_one_as_any(api, client) -> None:
    made = asserted(api, client, jti="\ud800")
    assert [ask(api, made).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("id_", ["\ud800", "\0"])
def test_no_client_has_an_id_that_no_store_can_keep(api, id_: str) -> None:
    assert api.run(find_client(api.store, id_)) is None


def test_a_public_key_is_no_shared_secret(api, client) -> None:
    """Whoever takes the public key for that of an HMAC has the key of a signature."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made = asserted(api, client, header={"kid": "r"})
    payload = made.split(".")[1]
    import hashlib
    import hmac

    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS384", "kid": "r"}).encode()).rstrip(b"=")
    signed = head + b"." + payload.encode()
    mac = base64.urlsafe_b64encode(hmac.new(pem, signed, hashlib.sha384).digest()).rstrip(b"=")
    assert ask(api, (signed + b"." + mac).decode()).status_code == 401


def test_one_way_to_prove_it(api, client) -> None:
    made = asserted(api, client)
    assert ask(api, made, client_secret="x").status_code == 400
    assert ask(api, made, client_assertion_type="x").status_code == 400
    assert ask(api, made, client_id="another").status_code == 401
    for text in ("", "x", "a.b.c", "é" * 20, "x" * 20_000):
        assert ask(api, text).status_code == 401
    assert ask(api, made, client_id=client).status_code == 200


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"keys": []},
        {"keys": [1]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}]},
        {"keys": [public(WEAK, "w", "RS384")]},
        {"keys": [public(SMALL, "s", "ES256")]},
        {"keys": [{**public(RSA, "r", "RS384"), "kid": ""}]},
        {"keys": [{**public(RSA, "r", "RS384"), "d": "x"}]},
        {"keys": [{**public(RSA, "r", "RS384"), "use": "enc"}]},
        {"keys": [{**public(RSA, "r", "RS384"), "alg": "RS256"}]},
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "x", "x": "AA", "y": "AA"}]},
    ],
)
def test_keys_that_cannot_be_registered(bad) -> None:
    with pytest.raises(ValueError):
        checked_jwks(bad)
    assert checked_jwks(KEYS) == KEYS


class _Keys(BaseHTTPRequestHandler):
    told = KEYS
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        body = json.dumps(self.told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def test_keys_are_fetched_where_the_client_has_them(new_api) -> None:
    api = new_api()
    server = HTTPServer(("127.0.0.1", 0), _Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        host = f"127.0.0.1:{server.server_port}"
        made = api.run(add_client(api.store, "b", jwks_uri=f"http://{host}/keys", admin=False))
        # Nobody has us call this machine unless the practice says so.
        assert ask(api, asserted(api, made.client_id)).status_code == 401
        assert _Keys.asked == 0
        api.run(allow_host(api.store, "0c8a1f8e-5d0b-4c53-9d0c-7b6f6f6a1b10", host))
        api.clock.now += 31_000
        for _ in range(3):
            assert ask(api, asserted(api, made.client_id)).status_code == 200
        assert _Keys.asked == 1
        # A new key is fetched when it is first met, but not at every wish of a stranger's.
        for _ in range(3):
            assert ask(api, asserted(api, made.client_id, header={"kid": "n"})).status_code == 401
        assert _Keys.asked == 1
        _Keys.told = {"keys": [public(OTHER, "n", "ES384")]}
        api.clock.now += 31_000
        fresh = asserted(api, made.client_id, OTHER, header={"kid": "n"})
        assert ask(api, fresh).status_code == 200
        assert _Keys.asked == 2
    finally:
        server.shutdown()
        server.server_close()
