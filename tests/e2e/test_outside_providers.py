"""Signing in by an outside provider: npm's oidc-provider, real Chromium, real sockets.

The server has two workers on PostgreSQL: who is sent away by one may come back to the other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

pytest.importorskip("playwright", reason="left out: no Playwright (make test installs it)")

from playwright.sync_api import Browser, Page, expect

import stem
import threadwell

from .pages import is_sound

pytestmark = pytest.mark.browser

CLIENTS = Path(__file__).parent / "clients"
THREADWELL = [sys.executable, "-m", "threadwell"]
SECRET = "a secret / with: signs & +%"
APP = "http://localhost:9/back"
PASSWORD = "four walls and a garden"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Provider:
    """A provider's process, which may come again with another key."""

    def __init__(self, node: list[str], server: str) -> None:
        self.port = free_port()
        self._command = [*node, str(CLIENTS / "provider.mjs")]
        self._server = server
        self._process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, key: str) -> None:
        told = {"PORT": str(self.port), "KEY": key, "AFTER": f"{self._server}/sign-in"}
        told["BACK"] = f"{self._server}/sign-in/back/clinic"
        told |= {"EXTERNAL": f"{self._server}/auth/external", "APP": APP}
        told["OUT"] = f"{self._server}/sign-in/out/clinic"
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=CLIENTS,
        )
        assert self._process.stdout
        assert any("listening" in line for line in self._process.stdout)

    def says(self, who: str, *marks: str) -> None:
        """What it says of somebody from now on: their groups, or ``unverified``."""
        told = {"who": who, "marks": ",".join(marks)}
        httpx.get(f"{self.issuer}/told", params=told).raise_for_status()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Practice(NamedTuple):
    url: str
    store: str
    provider: Provider

    def signs_in_by(self, **told: Any) -> None:
        with threadwell.open(self.store) as tw:
            tw.set_provider(
                "clinic",
                **{
                    "label": "Clinic ID",
                    "issuer": self.provider.issuer,
                    "client_id": "threadwell",
                    "secret": SECRET,
                    "hosts": [f"localhost:{self.provider.port}"],
                    **told,
                },
            )


@pytest.fixture(scope="module")
def practice(node: list[str], postgres_server: Any) -> Iterator[Practice]:
    store = f"{postgres_server.url()}&schema=outside"
    port = free_port()
    url = f"http://localhost:{port}"
    provider = Provider(node, url)
    practice = Practice(url, store, provider)
    with threadwell.open(store) as tw:
        for name in ("robin", "mo", "lee"):
            tw.invite(f"{name}@clinic.example.org", first=name.title(), last="Ash")
        tw.set_user_password("lee@clinic.example.org", PASSWORD)
    practice.signs_in_by()
    command = [*THREADWELL, "serve", "--store", store, "--port", str(port), "--base-url", url]
    command += ["--no-duties", "--workers", "2"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert any("/sign-in/" in line for line in process.stdout)
            provider.start("first")
            yield practice
        finally:
            provider.stop()
            process.terminate()


@pytest.fixture
def new_page(chrome: Browser, practice: Practice) -> Iterator[Callable[[], Page]]:
    contexts = []

    def make() -> Page:
        context = chrome.new_context(base_url=practice.url, bypass_csp=True)
        context.set_default_timeout(60_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


def at_the_provider(page: Page, who: str) -> None:
    """Say who one is, and agree."""
    page.locator("input[name=login]").fill(who)
    page.locator("input[name=password]").fill("anything")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def signs_in(page: Page, who: str) -> None:
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with Clinic ID").click()
    at_the_provider(page, who)


def is_in(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")


def is_told(page: Page, text: str) -> None:
    expect(page.get_by_role("alert").first).to_contain_text(text)


def test_who_was_invited_comes_in_and_goes_also_after_the_keys_have_changed(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by()
    page = new_page()
    page.goto("/sign-in")
    is_sound(page)
    signs_in(page, "robin")
    is_in(page)
    expect(page.get_by_role("link", name="Robin Ash")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("region", name="Other accounts")).to_contain_text(
        "robin@clinic.example.org"
    )
    is_sound(page)
    with threadwell.open(practice.store) as tw:
        (one,) = tw.sign_ins("robin@clinic.example.org")
        assert (one.provider, tw.user("robin@clinic.example.org").state) == ("clinic", "active")
    page.get_by_role("button", name="Sign out", exact=True).last.click()
    page.get_by_role("link", name="Sign out of Clinic ID, too").click()
    page.get_by_role("button", name=re.compile("Yes")).click()
    expect(page).to_have_url(f"{practice.url}/sign-in")
    practice.provider.stop()
    practice.provider.start("second")
    signs_in(page, "robin")
    is_in(page)
    # Who signs out there is signed out here: the provider says so itself.
    there = page.context.new_page()
    there.goto(f"{practice.provider.issuer}/session/end")
    there.get_by_role("button", name=re.compile("Yes")).click()
    expect(there.get_by_text("Sign-out Success")).to_be_visible()
    assert page.reload().status == 401  # type: ignore[union-attr]


def test_who_is_not_known_or_not_verified_is_told_so(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by()
    practice.provider.says("mo", "unverified")
    for who, said in (
        ("kim", "who knows you as kim@clinic.example.org: ask whoever runs Threadwell"),
        ("mo", "there is no account for you here that Clinic ID opens: ask"),
        # Who has come in already is not taken over by an address.
        ("lee", "There is no account for you here"),
    ):
        page = new_page()
        signs_in(page, who)
        is_told(page, re.sub("^t", "T", said))
    practice.signs_in_by(domains=["elsewhere.example.org"])
    page = new_page()
    signs_in(page, "mo")
    is_told(page, "an address that may not come in here")
    practice.signs_in_by()
    page = new_page()
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with Clinic ID").click()
    page.get_by_role("link", name=re.compile("Cancel")).click()
    is_told(page, "Clinic ID did not let you in")


def test_an_invitation_is_taken_by_the_provider_in_place_of_a_password(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by()
    with threadwell.open(practice.store) as tw:
        link = tw.password_url(tw.invite("pat@elsewhere.example.org", first="Pat", last="Oak"))
    page = new_page()
    page.goto(link.replace("127.0.0.1", "localhost"))
    is_sound(page)
    page.get_by_role("button", name="Or sign in with Clinic ID").click()
    at_the_provider(page, "paula")
    is_in(page)
    expect(page.get_by_role("link", name="Pat Oak")).to_be_visible()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work any more")


def test_somebody_links_the_provider_to_their_account_and_unlinks_it(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by()
    page = new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill("lee@clinic.example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    is_in(page)
    for act, said in (("Link", "linked"), ("Unlink", "")):
        page.goto("/account")
        region = page.get_by_role("region", name="Other accounts")
        region.get_by_text(act, exact=False).first.click() if act == "Unlink" else region.locator(
            "summary"
        ).click()
        region.get_by_label("Password").fill(PASSWORD)
        region.get_by_role("button", name=f"{act} Clinic ID").click()
        if act == "Link":
            at_the_provider(page, "leonora")
            expect(page).to_have_url(f"{practice.url}/account")
            expect(region).to_contain_text(said)
    expect(page.get_by_role("status")).to_have_text("It opens your account no more.")


def test_accounts_are_made_with_the_roles_that_the_provider_says(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by(
        link="create",
        domains=["clinic.example.org"],
        roles_claim="groups",
        roles={"nurses": "participant", "bills": "billing"},
    )
    page = new_page()
    practice.provider.says("kim", "nurses")
    signs_in(page, "kim")
    is_in(page)
    expect(page.get_by_role("link", name="Kim Ash")).to_be_visible()
    email = "kim@clinic.example.org"
    with threadwell.open(practice.store) as tw:
        profile = tw.user(email).members[0].profile

        def has() -> list[str]:
            names = {one["id"]: one["name"] for one in tw.policies()}
            found = next(one for one in tw.memberships() if one.who == profile)
            return [names[grant.policy] for grant in found.grants]

        assert has() == ["participant"]
        other = new_page()
        practice.provider.says("kim", "bills", "nurses")
        signs_in(other, "kim")
        is_in(other)
        assert has() == ["participant", "billing"]
        third = new_page()
        practice.provider.says("kim", "others")
        signs_in(third, "kim")
        is_told(third, "gives you no role here")
        assert tw.sign_ins(email) == []
    assert page.reload().status == 401  # type: ignore[union-attr]


def test_where_it_is_required_nothing_else_opens_an_account(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by(required=True)
    page = new_page()
    page.goto("/sign-in")
    expect(page.get_by_role("link", name="Sign in with Clinic ID")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)
    is_sound(page)
    form = {"email": "lee@clinic.example.org", "password": PASSWORD}
    answer = httpx.post(f"{practice.url}/sign-in", data=form)
    assert answer.status_code == 401
    assert "signs in with Clinic ID, and takes no passwords" in answer.text
    login = {**form, "codeChallenge": "A" * 43, "codeChallengeMethod": "S256"}
    answer = httpx.post(f"{practice.url}/auth/login", json=login)
    assert (answer.status_code, "takes no passwords" in answer.text) == (400, True)
    practice.signs_in_by(required=True, domains=["elsewhere.example.org"])
    assert httpx.post(f"{practice.url}/sign-in", data=form).status_code == 303


def test_an_app_gets_its_code_after_the_provider(
    practice: Practice, new_page: Callable[[], Page]
) -> None:
    practice.signs_in_by()
    back = "http://localhost:9/back"
    with threadwell.open(practice.store) as tw:
        client = tw.add_client("portal", redirect_uris=[back])
    page = new_page()
    page.goto(
        f"/oauth2/authorize?response_type=code&client_id={client.client_id}&redirect_uri={back}"
        f"&code_challenge={'A' * 43}&code_challenge_method=S256&scope=openid&state=mine"
    )
    page.get_by_role("link", name="Sign in with Clinic ID").click()
    with page.expect_request(re.compile(r"^http://localhost:9/back\?.*code=.*state=mine")):
        at_the_provider(page, "robin")


def medplum(node: list[str], practice: Practice, *words: str) -> Any:
    """What Medplum's client, as it is published, comes to."""
    script = [*node, str(CLIENTS / "outside.mjs"), practice.url, *words]
    done = subprocess.run(script, capture_output=True, text=True, cwd=CLIENTS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def came_back(page: Page, url: str, who: str) -> dict[str, str]:
    """What an app is told in the end whose person goes to ``url`` and signs in there."""
    with page.expect_request(re.compile(r"^http://localhost:9/back\?")) as asked:
        page.goto(url)
        at_the_provider(page, who)
    return dict(parse_qsl(urlsplit(asked.value.url).query))


def test_medplums_client_exchanges_what_the_provider_gave_to_its_app(
    practice: Practice, new_page: Callable[[], Page], node: list[str]
) -> None:
    # Its access tokens say nothing of for whom they are.
    practice.signs_in_by(apps=["portal"], audiences=["*"])
    with threadwell.open(practice.store) as tw:
        app = tw.add_client("portal", redirect_uris=[APP])
        tw.invite("sam@clinic.example.org", first="Sam", last="Ash")
    for party, fine in (("portal", True), ("stranger", False)):
        verifier = "a-verifier-of-more-than-forty-three-characters"
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": party,
            "redirect_uri": APP,
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "code_challenge": digest.rstrip(b"=").decode(),
        }
        url = f"{practice.provider.issuer}/auth?{urlencode(asked)}"
        form = {
            "grant_type": "authorization_code",
            "client_id": party,
            "redirect_uri": APP,
            "code": came_back(new_page(), url, "sam")["code"],
            "code_verifier": verifier,
        }
        given = httpx.post(f"{practice.provider.issuer}/token", data=form).json()
        # Its ID tokens say no address: by one of them alone nobody comes in for the first time.
        for kind in ("access_token", "id_token"):
            told = medplum(node, practice, "exchange", app.client_id, given[kind])
            if fine:
                assert told == {"name": "Sam Ash", "refreshed": True}
            else:
                assert "given to another client" in told["error"]
        if fine:
            practice.signs_in_by(apps=["portal"])
            told = medplum(node, practice, "exchange", app.client_id, given["access_token"])
            assert "send the ID token, or name the audience" in told["error"]


def test_medplums_client_comes_back_by_auth_external(
    practice: Practice, new_page: Callable[[], Page], node: list[str]
) -> None:
    practice.signs_in_by()
    with threadwell.open(practice.store) as tw:
        app = tw.add_client("portal by us", redirect_uris=[APP])
        tw.invite("jo@clinic.example.org", first="Jo", last="Ash")
    away = f"{practice.provider.issuer}/auth"
    told = medplum(node, practice, "away", app.client_id, away, APP)
    back = came_back(new_page(), told["url"], "jo")
    told = medplum(node, practice, "back", app.client_id, back["code"], told["verifier"])
    assert told == {"name": "Jo Ash"}


def test_a_provider_that_does_not_answer_is_named_and_the_rest_goes_on(
    practice: Practice,
) -> None:
    with threadwell.open(practice.store) as tw:
        gone = f"http://localhost:{free_port()}"
        tw.set_provider("gone", label="Gone", issuer=gone, client_id="x", hosts=["localhost"])
        try:
            for _ in range(2):
                answer = httpx.get(f"{practice.url}/sign-in/with/gone")
                assert answer.status_code == 503
                assert "Gone cannot be asked: localhost takes no connections" in answer.text
                assert 'name="password"' in answer.text
        finally:
            tw.remove_provider("gone")
    assert httpx.get(f"{practice.url}/sign-in/with/gone").status_code == 404
