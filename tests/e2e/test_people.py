"""Two people with accounts, in a real browser: on the pages, and in an app of @medplum/react.

They are set up by commands, as docs/users.md says.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import stem

pytest.importorskip("playwright", reason="left out: no Playwright (make test installs it)")

from playwright.sync_api import Browser, expect

import threadwell

from .pages import is_sound

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
CLIENTS = HERE / "clients"
THREADWELL = [sys.executable, "-m", "threadwell"]
PASSWORD = "four walls and a garden"
NAMES = ("robin", "mo")
VIRTUAL = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "code": "VR",
    "display": "virtual",
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_of: Any) -> None:
        """Nothing."""


class Practice(NamedTuple):
    """``links`` set the passwords of its people, by their names."""

    url: str
    links: dict[str, str]


def email(name: str) -> str:
    return f"{name}@clinic.example.org"


def invite(store: str, name: str, url: str) -> dict[str, Any]:
    command = [*THREADWELL, "user", "invite", email(name), "--first", name.title()]
    command += ["--last", "Ash", "--role", "participant", "--url", url, "--store", store]
    made: dict[str, Any] = json.loads(stem.run([*command, "--format", "json"]))
    return made


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """Each of two people is written to by a patient, in a thread of their own."""
    store = str(tmp_path_factory.mktemp("people") / "practice.db")
    command = [*THREADWELL, "serve", "--store", store, "--port", "0", "--no-duties"]
    with threadwell.open(store) as tw:
        patient = tw.create_resource({"resourceType": "Patient", "name": [{"given": ["Leo"]}]})
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = next(filter(None, (re.search(r"http\S+/sign-in/", x) for x in process.stdout)))
            url = found[0].removesuffix("sign-in/")
            people = {name: invite(store, name, url) for name in NAMES}
            with threadwell.open(store) as tw:
                for name, one in people.items():
                    _thread(tw, name, one["acts_as"][0], f"Patient/{patient['id']}")
            yield Practice(url, {name: one["link"] for name, one in people.items()})
        finally:
            process.terminate()


def _thread(tw: threadwell.Threadwell, name: str, who: str, patient: str) -> None:
    session = tw.create_resource(
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": VIRTUAL,
            "subject": {"reference": patient},
            "period": {"start": "2026-03-12T11:58:00Z"},
        }
    )
    ours = {"status": "in-progress", "subject": {"reference": patient}}
    header = tw.create_resource(
        {
            "resourceType": "Communication",
            **ours,
            "topic": {"text": f"To {name}"},
            "encounter": {"reference": f"Encounter/{session['id']}"},
            "recipient": [{"reference": who}],
        }
    )
    tw.create_resource(
        {
            "resourceType": "Communication",
            **ours,
            "status": "completed",
            "partOf": [{"reference": f"Communication/{header['id']}"}],
            "sender": {"reference": patient},
            "recipient": [{"reference": who}],
            "sent": "2026-03-12T12:00:00Z",
            "payload": [{"contentString": f"Good morning, {name}"}],
        }
    )


@pytest.fixture(scope="module")
def accounts(chrome: Browser, practice: Practice) -> Practice:
    """The practice, whose people have set their passwords: without a script, by keys alone."""
    for link in practice.links.values():
        context = chrome.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(link)
        expect(page.get_by_label("New password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Your password is set")
        context.close()
    return practice


def test_each_sees_their_own_thread_on_the_pages(
    node: list[str], chrome: Browser, accounts: Practice
) -> None:
    for name, other in (NAMES, NAMES[::-1]):
        context = chrome.new_context(base_url=accounts.url, bypass_csp=True)
        page = context.new_page()
        page.goto("/")
        is_sound(page)
        page.get_by_label("E-mail address").focus()
        page.keyboard.type(email(name))
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
        expect(page.get_by_text(f"Good morning, {name}")).to_be_visible()
        expect(page.get_by_text(f"Good morning, {other}")).to_have_count(0)
        page.get_by_role("link", name=f"{name.title()} Ash").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        is_sound(page)
        context.close()


@pytest.fixture(scope="module")
def app(node: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app is served: at another origin than the server."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copy(CLIENTS / "app" / "index.html", folder)
    build = [*node, str(CLIENTS / "app" / "build.mjs"), str(folder / "app.js")]
    subprocess.run(build, check=True, cwd=CLIENTS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_an_app_made_with_medplums_components_signs_in_and_shows_a_thread(
    chrome: Browser, accounts: Practice, app: str
) -> None:
    for name in NAMES:
        context = chrome.new_context()
        page = context.new_page()
        page.goto(f"{app}?server={accounts.url}")
        page.get_by_label("Email").fill(email(name))
        page.get_by_role("button", name=re.compile("Next|Continue|Sign in")).click()
        page.get_by_label("Password", exact=False).and_(page.locator("input")).fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("password is wrong").first).to_be_visible()
        page.get_by_label("Password", exact=False).and_(page.locator("input")).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("listitem")).to_have_text([f"Good morning, {name}"])
        context.close()
