"""Passkeys in a real browser, whose authenticator is Chromium's own (CDP), over a real socket."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import stem

pytest.importorskip("playwright", reason="left out: no Playwright (make test installs it)")

from playwright.sync_api import Browser, BrowserContext, Page, expect

import threadwell

from .pages import is_sound

pytestmark = pytest.mark.browser

CLIENTS = Path(__file__).parent / "clients"
THREADWELL = [sys.executable, "-m", "threadwell"]
EMAIL, PASSWORD = "robin@clinic.example.org", "four walls and a garden"


class Practice(NamedTuple):
    """Where it is, by a name and by an address, and its store."""

    url: str
    address: str
    store: str


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    store = str(tmp_path_factory.mktemp("passkeys") / "practice.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with threadwell.open(store) as tw:
        invited = tw.invite(EMAIL, first="Robin", last="Ash", policy="participant")
        tw.set_user_password(EMAIL, PASSWORD)
        assert invited.user.state == "invited"
    url = f"http://localhost:{port}"
    command = [*THREADWELL, "serve", "--store", store, "--port", str(port), "--base-url", url]
    with stem.start([*command, "--no-duties"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            next(line for line in process.stdout if "/sign-in/" in line)
            yield Practice(url, f"http://127.0.0.1:{port}", store)
        finally:
            process.terminate()


@pytest.fixture
def context(chrome: Browser, practice: Practice) -> Iterator[BrowserContext]:
    context = chrome.new_context(base_url=practice.url, bypass_csp=True)
    context.set_default_timeout(60_000)
    yield context
    context.close()


class Key:
    """A virtual authenticator of a page."""

    def __init__(self, page: Page, **options: Any) -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        chosen = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            **options,
        }
        made = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": chosen})
        self._id = made["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        return self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})[
            "credentials"
        ]

    def clear(self) -> None:
        self._cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self._id})

    def add(self, credential: dict[str, Any]) -> None:
        told = {"authenticatorId": self._id, "credential": credential}
        self._cdp.send("WebAuthn.addCredential", told)

    def verifies(self, verifies: bool) -> None:
        told = {"authenticatorId": self._id, "isUserVerified": verifies}
        self._cdp.send("WebAuthn.setUserVerified", told)


def by_password(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def is_in(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")


def test_a_passkey_is_added_signs_in_alone_and_as_the_second_step_and_is_removed(
    node: list[str], context: BrowserContext, practice: Practice
) -> None:
    page = context.new_page()
    key = Key(page)
    by_password(page)
    is_in(page)
    page.goto("/account")
    section = page.get_by_role("region", name="Passkeys")
    section.get_by_label("Name, to know it by").fill("Blue key")
    section.get_by_label("Password").fill("not that one at all")
    section.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("p.notice[role=alert]")).to_have_text("The password is wrong.")
    key.clear()
    section.get_by_label("Name, to know it by").fill("Blue key")
    section.get_by_label("Password").fill(PASSWORD)
    section.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_have_text("Your passkey is added.")
    codes = page.locator(".recovery code").all_inner_texts()
    assert len(codes) == 10
    expect(section.get_by_text("Blue key").first).to_be_visible()
    is_sound(page)

    # Alone: nothing is typed.
    sign_out(page)
    page.goto("/sign-in")
    is_sound(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_in(page)
    sign_out(page)

    # Alone it must ask for a finger; Chromium itself refuses then, and says nothing of why.
    key.verifies(False)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("form[data-passkey] [role=alert]")).to_contain_text("No passkey was used")
    key.verifies(True)

    # As the step after the password.
    by_password(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")
    is_sound(page)
    page.get_by_role("button", name="Use a passkey").click()
    is_in(page)

    # A copy of it from before: what it signs counts backwards.
    (mine,) = key.credentials()
    key.clear()
    key.add({**mine, "signCount": 1})
    sign_out(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("may have been copied")
    key.clear()
    key.add({**mine, "signCount": mine["signCount"] + 10})
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_in(page)

    # It is renamed and removed; a recovery code is no longer asked for.
    page.goto("/account")
    section.get_by_text("Change").click()
    section.get_by_label("Name", exact=True).fill("Old key")
    section.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("status")).to_have_text("Your passkey is renamed.")
    expect(section.get_by_text("Old key").first).to_be_visible()
    section.get_by_text("Change").click()
    section.locator("details").get_by_label("Password").fill(PASSWORD)
    section.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.get_by_role("status")).to_contain_text("Your passkey is removed")
    sign_out(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("opens no account here")
    by_password(page)
    is_in(page)
    with threadwell.open(practice.store) as tw:
        ways = sorted("+".join(one.methods) for one in tw.sign_ins(EMAIL))
        assert ways == ["pwd"]
        told = "\n".join(json.dumps(event) for event in tw.audit_events())
    for act in ("account add-passkey", "account name-passkey", "account drop-passkey"):
        assert act in told
    for asked in ("/sign-in/passkey", "/sign-in/code/passkey"):
        assert asked in told
    assert PASSWORD not in told


def test_at_an_address_that_is_no_name_nothing_is_offered_that_would_not_work(
    context: BrowserContext, practice: Practice
) -> None:
    page = context.new_page()
    Key(page)
    page.goto(f"{practice.address}/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    said = page.locator("form[data-passkey] [role=alert]")
    expect(said).to_contain_text("do not work at this address")


def test_without_a_script_no_passkey_is_offered(chrome: Browser, practice: Practice) -> None:
    context = chrome.new_context(base_url=practice.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    context.close()
