"""Pages show what others write while somebody looks at them: the news as browsers hear it.

Each server is a process, and what is new is written by another one.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import stem
import threadwell

from .pages import write_into

ROOT = Path(__file__).resolve().parents[2]
THREADWELL = [sys.executable, "-m", "threadwell"]
_SCHEMAS = count()


@dataclass
class Practice:
    """The sample practice on a store, and the server that serves it."""

    store: str
    url: str
    process: subprocess.Popen[str]

    def session(self) -> str:
        """The id of a session with messages, the first of the list."""
        with threadwell.open(self.store) as tw:
            return str(next(one.id for one in tw.sessions(status="finished") if one.messages))

    def say(self, session: str, text: str) -> None:
        """Write a message into the thread of a session."""
        write_into(self.store, session, text)

    def link(self) -> str:
        """A link that signs the practitioner in."""
        with threadwell.open(self.store) as tw:
            (doctor,) = tw.search_resources("Practitioner", "family=Okafor")
            return str(tw.sign_in_link(self.url, who=f"Practitioner/{doctor['id']}"))

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client that is signed in."""
        with httpx.Client(base_url=self.url, timeout=20) as client:
            assert client.post(self.link()).status_code == 303
            yield client


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "practice.db"
    _import(str(path))
    return path


def _import(store: str) -> None:
    with threadwell.open(store) as tw:
        tw.import_messages(
            ROOT / "sample", people=ROOT / "sample" / "people.csv", zone="America/New_York"
        )


@pytest.fixture(params=["sqlite", "postgres"])
def practice(request: Any, sample: Path, tmp_path: Path) -> Iterator[Practice]:
    """On a file with one process, on PostgreSQL with two."""
    store, workers = str(tmp_path / "practice.db"), "1"
    if request.param == "sqlite":
        shutil.copyfile(sample, store)
    else:
        server = request.getfixturevalue("postgres_server")
        store, workers = f"{server.url()}&schema=live{next(_SCHEMAS)}", "2"
        _import(store)
    command = [*THREADWELL, "serve", "--store", store, "--port", "0", "--workers", workers]
    command += ["--max-in-flight", "3", "--no-duties"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                if found := re.search(r"(http\S+)/sign-in/\S+", line):
                    yield Practice(store, found[1], process)
                    break
        finally:
            process.terminate()


@pytest.fixture
def browse(chrome: Browser, practice: Practice) -> Iterator[Callable[..., Page]]:
    """Opens browsers of their own, each signed in, and at last looks at what they complained of."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def browse(*, script: bool = True) -> Page:
            context = chrome.new_context(
                viewport={"width": 1180, "height": 860},
                base_url=practice.url,
                java_script_enabled=script,
            )
            stack.callback(context.close)
            context.set_default_timeout(60_000)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(practice.link())
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
            return page

        yield browse
    assert complaints == []


@pytest.mark.browser
def test_a_message_shows_where_others_look(practice: Practice, browse: Callable[..., Page]) -> None:
    session = practice.session()
    lists, thread, plain = browse(), browse(), browse(script=False)
    thread.goto(f"/sessions/{session}")
    plain.goto(f"/sessions/{session}")
    why = thread.get_by_label("Why")
    why.fill("half a sent")
    marked = thread.locator(".message").first
    marked.evaluate("one => { one.mark = 'the same' }")
    practice.say(session, "The fever is gone <b>now</b>")
    expect(thread.get_by_text("The fever is gone <b>now</b>")).to_be_visible()
    expect(thread.get_by_role("status")).to_have_text("There is something new.")
    expect(lists.locator("a.row").first).to_contain_text("The fever is gone")
    # What somebody does meanwhile goes on.
    expect(why).to_have_value("half a sent")
    expect(why).to_be_focused()
    thread.keyboard.type("ence")
    expect(why).to_have_value("half a sentence")
    assert marked.evaluate("one => one.mark") == "the same"
    # The page without script is as it was, until it is loaded again.
    expect(plain.get_by_text("The fever is gone")).to_have_count(0)
    plain.reload()
    expect(plain.get_by_text("The fever is gone")).to_be_visible()


@pytest.mark.browser
def test_what_a_colleague_does_shows(practice: Practice, browse: Callable[..., Page]) -> None:
    session = practice.session()
    here, there = browse(), browse()
    here.goto(f"/sessions/{session}")
    there.goto(f"/sessions/{session}")
    expect(there.locator(".facts .pill")).to_have_text("Finished")
    here.get_by_role("button", name="Open it again").click()
    expect(there.locator(".facts .pill")).to_have_text("Open")
    expect(there.get_by_role("button", name="Close the session")).to_be_visible()
    there.get_by_role("button", name="Close the session").click()
    expect(here.locator(".facts .pill")).to_have_text("Finished")


@pytest.mark.browser
def test_a_row_that_has_the_focus_keeps_it(practice: Practice, browse: Callable[..., Page]) -> None:
    page = browse()
    rows = page.locator("a.row")
    last = rows.nth(5)
    href = str(last.get_attribute("href"))
    last.focus()
    other = str(rows.nth(3).get_attribute("href")).removeprefix("/sessions/")
    practice.say(other, "Something new")
    expect(rows.first).to_contain_text("Something new")
    expect(page.locator(f'a.row[href="{href}"]')).to_be_focused()


class Heard:
    """The lines of a stream, as they come, read beside the test."""

    def __init__(self, client: httpx.Client, url: str, **headers: str) -> None:
        self.lines: list[str] = []
        self.status = 0
        self.over = threading.Event()
        self._news = threading.Condition()
        self._of = (client, url, headers)
        threading.Thread(target=self._read, daemon=True).start()
        self.wait(lambda: bool(self.lines))

    def wait(self, done: Callable[[], bool], seconds: float = 60) -> None:
        with self._news:
            assert self._news.wait_for(done, seconds), self.lines

    def _read(self) -> None:
        client, url, headers = self._of
        # A test that is done with it closes the connection from its own side.
        with suppress(httpx.TransportError), client.stream("GET", url, headers=headers) as answer:
            self.status = answer.status_code
            for line in answer.iter_lines():
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        self.over.set()


def test_the_stream_names_what_has_changed_and_no_more(practice: Practice) -> None:
    session = practice.session()
    with practice.client() as client:
        assert (head := client.head("/news")).headers["content-type"].startswith("text/event-s")
        assert head.content == b""
        heard = Heard(client, "/news")
        practice.say(session, "Zmeskal has a rash")
        heard.wait(lambda: any(one.startswith("data:") for one in heard.lines))
        (told,) = [one for one in heard.lines if one.startswith("data:")]
        assert re.fullmatch(r"data: Communication/[\w-]+ Communication/[\w-]+", told)
        position = next(one for one in heard.lines if one.startswith("id:")).removeprefix("id: ")
        # Whoever was away is told what they have missed, by whichever process.
        practice.say(session, "and another")
        again = Heard(client, "/news?after=0", **{"Last-Event-ID": position})
        again.wait(lambda: any(one.startswith("data: Comm") for one in again.lines))
        assert "Zmeskal" not in str(heard.lines + again.lines)


def test_who_is_not_signed_in_hears_nothing_and_who_signs_out_no_more(practice: Practice) -> None:
    assert httpx.get(f"{practice.url}/news").status_code == 401
    with practice.client() as client:
        heard = Heard(client, "/news")
        assert client.post("/sign-out").status_code == 200
        assert heard.over.wait(60)
        assert heard.status == 200


def test_listeners_are_no_requests_under_way_and_end_when_the_server_stops(
    practice: Practice,
) -> None:
    with practice.client() as client:
        all_ = [Heard(client, "/news") for _ in range(8)]
        assert [client.get("/").status_code for _ in range(4)] == [200] * 4
        metrics = client.get("/metrics").text
        assert re.search(r"^threadwell_requests_in_flight 1$", metrics, re.M)
        practice.process.send_signal(signal.SIGTERM)
        assert practice.process.wait(60) == 0
        assert all(one.over.wait(60) for one in all_)
