"""Passkeys and outside providers lead to the project of the account, and to no other."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from tests.unit.projects.test_signing_in import MO, PASSWORD, URL, Server, server
from threadwell.calls.call import Call, Called
from threadwell.users.codes import recovery_alone
from threadwell.users.keeping import change_user, user_of
from threadwell.users.providers import keep_provider, parse_provider
from threadwell.users.user import Passkey
from threadwell.users.webauthn import Party

__all__ = ["server"]

ISSUER = "https://id.example.org"


class Describes:
    """A provider that describes itself, and gives no tokens."""

    def __init__(self, **_: Any) -> None:
        """One."""

    async def call(self, call: Call) -> Called:
        told = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        if call.method == "POST":
            return Called(400, {}, b'{"error": "invalid_grant"}')
        return Called(200, {}, json.dumps(told).encode())


def test_a_provider_is_of_its_project(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadwell.users.provider_calls.HttpCaller", Describes)
    provider = parse_provider("clinic", {"issuer": ISSUER, "client_id": "x", "label": "Clinic ID"})
    server.run(keep_provider(server.store(server.further), server.further, provider))
    # The first project neither has nor tells of it.
    assert "Clinic ID" not in server.get("/sign-in").text
    assert server.get("/sign-in/with/clinic").status_code == 404
    marked = f"clinic.{server.further}"
    away = server.get(f"/sign-in/with/{marked}")
    assert away.status_code == 303
    asked = {
        name: one[0] for name, one in parse_qs(urlsplit(away.headers["location"]).query).items()
    }
    assert asked["redirect_uri"] == f"{URL}/sign-in/back/{marked}"
    answer = {"code": "c", "state": asked["state"]}
    assert server.run(server.http.get("/sign-in/back/clinic", params=answer)).status_code == 404
    # It is the question of this browser, in this project: only the code is none.
    back = server.run(server.http.get(f"/sign-in/back/{marked}", params=answer))
    assert back.status_code == 503
    assert "it gives no tokens (400, invalid_grant)" in back.text
    again = server.run(server.http.get(f"/sign-in/back/{marked}", params=answer))
    assert "begun in another window" in again.text


def test_a_passkey_is_asked_for_in_the_project_of_the_password(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threadwell.inbox.site.party_of", lambda _: Party("testserver", URL))
    server.person(server.further)
    store = server.store(server.further)
    user = server.run(user_of(store, MO))
    assert user is not None
    key, factor = Passkey("AAAA", "", "Laptop", 0), recovery_alone().factor
    change = change_user(
        store, server.further, user.id, lambda one: replace(one, passkeys=(key,), factor=factor)
    )
    server.run(change)
    answer = server.form("/sign-in", email=MO, password=PASSWORD)
    assert answer.headers["location"] == "/sign-in/code"
    assert "Use a passkey" in server.get("/sign-in/code").text
    asked = server.form("/sign-in/code/passkey/begin").json()
    assert [one["id"] for one in asked["allowCredentials"]] == ["AAAA"]
    refused = server.form("/sign-in/code/passkey", passkey="{}")
    assert (refused.status_code, "opens no account here" in refused.text) == (401, True)
