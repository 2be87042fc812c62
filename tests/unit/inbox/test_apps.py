"""Somebody signs in to an app with their account: from the app to the pages, and back."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from threadwell.api.clients import add_client
from threadwell.app import create_server
from threadwell.fhir.stamp import now_ms
from threadwell.inbox.sign_in import new_link
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.users.changing import set_by_link, set_disabled
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import user_of
from threadwell.users.passwords import Hashing
from threadwell.users.settings import Cost

URL = "http://testserver"
BACK = "https://app.example.org/back"
ROBIN, PASSWORD = "robin@clinic.example.org", "four walls and a garden"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
ASKED = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": BACK,
    "scope": "openid offline_access",
    "code_challenge": CHALLENGE.rstrip(b"=").decode(),
    "code_challenge_method": "S256",
    "state": "s/1 2",
}


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    cheap = Hashing(Cost(8, 1, 1))
    for module in ("site", "entrance", "account_page"):
        monkeypatch.setattr(f"threadwell.inbox.{module}.shared", lambda: cheap)
    yield cheap
    cheap.close()


def test_from_the_app_to_the_password_and_back(hashing: Hashing) -> None:
    asyncio.run(_story(hashing))


async def _story(hashing: Hashing) -> None:
    store = MemoryStore()
    await add_client(store, "App", client_id="app", redirect_uris=(BACK,), public=True)
    asked = Invitation(ROBIN, first="Robin", last="Ash")
    made = await invite(store, DEFAULT_PROJECT, asked, author="", clock=now_ms)
    assert made.link is not None
    await set_by_link(store, DEFAULT_PROJECT, made.link, PASSWORD, hashing, now_ms)
    server = create_server(store, base_url=URL)
    transport = httpx.ASGITransport(server)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as browser:
        sent = await browser.get(f"/oauth2/authorize?{urlencode(ASKED)}")
        assert sent.status_code == 303
        page = sent.headers["location"]
        assert page.startswith("/sign-in?next=")
        assert (await browser.get(page)).status_code == 200
        form = {"email": ROBIN, "password": PASSWORD}
        answer = await browser.post("/sign-in", data=form, headers={"origin": URL})
        # No form may lead to the app's host: a page goes on by itself.
        assert answer.status_code == 200
        onward = re.search(r'content="0;url=([^"]+)"', answer.text)
        assert onward is not None
        back = await browser.get(html.unescape(onward[1]))
        told = parse_qs(urlsplit(back.headers["location"]).query)
        assert back.headers["location"].startswith(f"{BACK}?")
        assert told["state"] == ["s/1 2"]
        given = await _tokens(browser, told["code"][0])
        header = {"authorization": f"Bearer {given['access_token']}"}
        me = (await browser.get("/auth/me", headers=header)).json()
        assert me["profile"]["name"][0]["family"] == "Ash"
        # What leads elsewhere is not remembered.
        elsewhere = await browser.get("/sign-in?next=https://evil.example/")
        assert "set-cookie" not in elsewhere.headers
        user = await user_of(store, ROBIN)
        assert user is not None
        await set_disabled(store, DEFAULT_PROJECT, user, True)
        refused = await browser.post(
            "/oauth2/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": given["refresh_token"],
                "client_id": "app",
            },
        )
        assert refused.status_code == 400
        assert (
            (await browser.get(f"/oauth2/authorize?{urlencode(ASKED)}"))
            .headers["location"]
            .startswith("/sign-in?")
        )


def test_who_is_disabled_is_out_of_what_a_link_has_opened(hashing: Hashing) -> None:
    asyncio.run(_by_link())


async def _by_link() -> None:
    store = MemoryStore()
    await add_client(store, "App", client_id="app", redirect_uris=(BACK,), public=True)
    asked = Invitation(ROBIN, first="Robin", last="Ash")
    made = await invite(store, DEFAULT_PROJECT, asked, author="", clock=now_ms)
    who = made.member.profile
    later = [urlsplit(await new_link(store, URL, who=who)).path for _ in range(2)]
    transport = httpx.ASGITransport(create_server(store, base_url=URL))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as browser:
        await browser.post(later[0], headers={"origin": URL})
        assert (await browser.get("/")).status_code == 200
        sent = await browser.get(f"/oauth2/authorize?{urlencode(ASKED)}")
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        given = await _tokens(browser, code)
        sent = await browser.get(f"/oauth2/authorize?{urlencode(ASKED)}")
        unused = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        header = {"authorization": f"Bearer {given['access_token']}"}
        assert (await browser.get("/auth/me", headers=header)).status_code == 200
        await set_disabled(store, DEFAULT_PROJECT, made.user, True)
        await asyncio.sleep(0.25)
        assert (await browser.get("/auth/me", headers=header)).status_code == 401
        form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        answers = [
            await browser.post("/oauth2/token", data={**form, "client_id": "app"}),
            await browser.post(
                "/oauth2/token",
                data={
                    "grant_type": "authorization_code",
                    "code": unused,
                    "client_id": "app",
                    "redirect_uri": BACK,
                    "code_verifier": VERIFIER,
                },
            ),
        ]
        assert [one.status_code for one in answers] == [400, 400]
        for _ in range(2):
            assert (await browser.get("/")).status_code != 200
            sent = await browser.get(f"/oauth2/authorize?{urlencode(ASKED)}")
            assert sent.headers["location"].startswith("/sign-in?")
            # A link that waits opens nothing.
            spent = await browser.post(later[1], headers={"origin": URL})
            assert "set-cookie" not in spent.headers


async def _tokens(browser: httpx.AsyncClient, code: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "app",
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    answer = await browser.post("/oauth2/token", data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()
