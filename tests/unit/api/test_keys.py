"""The keys that tokens are signed with: changed while servers run, and sealed in the store."""

from __future__ import annotations

import stat

import jwt
import pytest
from cryptography.fernet import Fernet

from threadwell.api.oauth.access import LOOK
from threadwell.api.oauth.keys import kept_secret, open_keyring, rotate_key, signing_key
from threadwell.stores.contract import DEFAULT_PROJECT, StoreError
from threadwell.stores.sealing import (
    SECRETS_FILE_VARIABLE,
    SECRETS_VARIABLE,
    is_sealed,
    new_key_file,
)

FORM = "application/x-www-form-urlencoded"


def token(api) -> str:
    id_, secret = api.client
    body = f"grant_type=client_credentials&client_id={id_}&client_secret={secret}".encode()
    answer = api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=None)
    return answer.json()["access_token"]


def kids(api) -> list[str]:
    keys = api.call("GET", "/.well-known/jwks.json", authorization=None).json()["keys"]
    assert all(set(key) <= {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)
    return [key["kid"] for key in keys]


def status(api, text: str) -> int:
    return api.call("GET", "Patient", authorization=f"Bearer {text}").status_code


def rotate(api, **how: bool) -> str:
    return api.run(rotate_key(api.store, DEFAULT_PROJECT, api.clock.now, **how)).kid


def test_what_an_earlier_key_has_signed_is_good_until_it_expires(api, new_api) -> None:
    other = new_api(store=api.store)
    old = token(api)
    first = kids(api)
    kid = rotate(api)
    assert kids(api) == [kid, *first]
    for one in (api, other):
        one.clock.now += LOOK
        assert status(one, old) == 200
    new = token(api)
    assert jwt.get_unverified_header(new)["kid"] == kid
    assert status(other, new) == 200
    for one in (api, other):
        one.clock.now += 4_000_000
        assert status(one, old) == 401
    assert kids(api) == [kid]
    last = rotate(api)
    assert kids(api) == [last, kid]
    assert len(api.run(api.store.list_private("former-key"))) == 1


def test_another_process_is_believed_at_once(api, new_api) -> None:
    other = new_api(store=api.store)
    assert status(other, token(api)) == 200
    rotate(api)
    api.clock.now += LOOK
    assert status(api, "x.y.z") == 401
    # The other one has not looked yet whether something has changed.
    assert status(other, token(api)) == 200


def test_a_key_that_is_known_to_others_ends_at_once(api) -> None:
    old = token(api)
    rotate(api)
    kid = rotate(api, at_once=True)
    assert kids(api) == [kid]
    api.clock.now += LOOK
    assert status(api, old) == 401
    assert status(api, token(api)) == 200


def test_secrets_are_sealed_with_a_key_that_is_not_in_the_store(
    api, new_api, monkeypatch, tmp_path
) -> None:
    before = api.run(signing_key(api.store)).kid
    secret = api.run(kept_secret(api.store, "refresh"))
    file = tmp_path / "secrets.key"
    new_key_file(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        new_key_file(file)
    monkeypatch.setenv(SECRETS_FILE_VARIABLE, str(file))
    # What was kept as it is becomes sealed, and stays what it is.
    server = new_api(store=api.store)
    text = token(server)
    kept = api.run(api.store.list_private("key"))
    assert kept
    assert all(is_sealed(value) for value in kept.values())
    assert all(b"PRIVATE KEY" not in value for value in kept.values())
    assert api.run(signing_key(api.store)).kid == before
    assert api.run(kept_secret(api.store, "refresh")) == secret
    assert status(server, text) == 200
    rotate(server)
    assert all(is_sealed(value) for value in api.run(api.store.list_private("key")).values())
    # A second key decrypts what the first has encrypted.
    lines = f"{Fernet.generate_key().decode()}\n{file.read_text()}"
    file.write_text(lines)
    assert api.run(kept_secret(api.store, "refresh")) == secret
    for name, value, why in (
        (SECRETS_FILE_VARIABLE, str(tmp_path / "none"), "No such file"),
        (SECRETS_VARIABLE, "x", "it is no key"),
        (SECRETS_VARIABLE, Fernet.generate_key().decode(), "another key"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            with pytest.raises(StoreError, match=why):
                api.run(open_keyring(api.store))
    monkeypatch.delenv(SECRETS_FILE_VARIABLE)
    with pytest.raises(StoreError, match=SECRETS_FILE_VARIABLE):
        api.run(open_keyring(api.store))
