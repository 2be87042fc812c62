"""A desk at which somebody writes while things go wrong: a real Chromium, a real server, and a line
between them that can be cut. Each test has a practice of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

import stem
import threadwell

from .line import Line
from .pages import led_to
from .provider import ACCOUNT, OFFICE, TOKEN, Provider, text

ROOT = Path(__file__).resolve().parents[2]
#: A busy machine is no large store: what pages count is counted anew each time.
_COUNTING = (
    "import sys; from threadwell.inbox import counting; counting._QUICK = 60; "
    "from threadwell.cli import main; sys.exit(main(sys.argv[1:]))"
)
ANA, WORDS = "+12075550111", "Not yet: take half of one."


@dataclass
class Practice:
    """A served store in which Ana waits for an answer, and the line to it."""

    store: Path
    doctor: str
    colleague: str
    line: Line = field(default_factory=lambda: Line(0))
    process: subprocess.Popen[str] | None = None
    session: str = ""

    def serve(self) -> None:
        """Start the server; at the port that it had before."""
        command = [sys.executable, "-c", _COUNTING, "serve", "--store", str(self.store)]
        command += ["--port", str(self.line.to)]
        self.process = stem.start(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        lines = (re.search(r"http\S+:(\d+)/sign-in/", line) for line in self.process.stdout)
        self.line.to = int(next(one[1] for one in lines if one))

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout
            self.process.stdout.close()
            self.process = None

    def hear(self, number: int, words: str) -> None:
        """Ana writes."""
        hook = f"http://127.0.0.1:{self.line.to}/hooks/front-desk"
        Provider(hook).deliver(text(number, words, ANA))

    def link(self, who: str) -> str:
        with threadwell.open(self.store) as tw:
            return str(tw.sign_in_link(self.line.url, who=who))

    def said(self) -> list[str]:
        """What the practice has written to Ana."""
        with threadwell.open(self.store) as tw:
            query = f"sender={self.doctor}&part-of.encounter=Encounter/{self.session}"
            found = tw.search_resources("Communication", query)
        return [one["payload"][0]["contentString"] for one in found]


@pytest.fixture(scope="module")
def troubled_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trouble") / "practice.db"
    people = ROOT / "sample" / "people.csv"
    with threadwell.open(path) as tw:
        tw.import_messages(ROOT / "sample", people=people, zone="America/New_York")
        secrets = {"account_sid": ACCOUNT, "auth_token": TOKEN, "api_url": "http://127.0.0.1:9"}
        tw.add_account("front-desk", "twilio", secrets, addresses=OFFICE)
        name = [{"given": ["Omar"], "family": "Lund"}]
        tw.create_resource({"resourceType": "Practitioner", "name": name})
    return path


@pytest.fixture
def troubled(troubled_sample: Path, tmp_path: Path) -> Iterator[Practice]:
    store = tmp_path / "practice.db"
    shutil.copyfile(troubled_sample, store)
    with threadwell.open(store) as tw:
        okafor, lund = (
            f"Practitioner/{tw.search_resources('Practitioner', f'family={one}')[0]['id']}"
            for one in ("Okafor", "Lund")
        )
    one = Practice(store, okafor, lund)
    with ExitStack() as stack:
        stack.callback(one.line.close)
        stack.callback(one.stop)
        one.serve()
        one.hear(1, "Shall I stop the tablets?")
        until = time.monotonic() + 60
        while not one.session:
            with threadwell.open(store) as tw:
                now = [each for each in tw.sessions() if each.channels == ("twilio",)]
            one.session = now[0].id if now else ""
            assert time.monotonic() < until, "it is not taken in"
        yield one


@pytest.fixture
def enter(chrome: Browser, troubled: Practice) -> Iterator[Callable[..., Page]]:
    """Opens a browser in which somebody is signed in, at the session of Ana."""
    with ExitStack() as stack:

        def enter(who: str = "", *, script: bool = True) -> Page:
            context = chrome.new_context(
                viewport={"width": 1180, "height": 860},
                base_url=troubled.line.url,
                java_script_enabled=script,
            )
            stack.callback(context.close)
            context.set_default_timeout(60_000)
            page = context.new_page()
            sign_in(page, troubled, who or troubled.doctor)
            page.goto("/?status=open")
            page.locator(f'a.row[href^="/sessions/{troubled.session}"]').click()
            led_to(page, "Ana Prado")
            return page

        yield enter


def sign_in(page: Page, practice: Practice, who: str) -> None:
    page.goto(practice.link(who))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")


def sign_out(context: BrowserContext, practice: Practice) -> None:
    """The server forgets the browser, as it does after 12 hours."""
    (cookie,) = (one for one in context.cookies() if one["name"] == "threadwell")
    url = f"http://127.0.0.1:{practice.line.to}/sign-out"
    assert httpx.post(url, cookies={"threadwell": cookie["value"]}).status_code == 200


def box_of(page: Page) -> Locator:
    return page.get_by_label("Reply by Text message")


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def is_sent_once(page: Page, practice: Practice) -> None:
    expect(page.locator(".message.ours").last).to_contain_text(WORDS)
    expect(box_of(page)).to_have_value("")
    expect(box_of(page)).to_be_focused()
    assert practice.said() == [WORDS]
