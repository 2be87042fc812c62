"""The example page of an app beside the inbox, in a real Chromium: two people, two browsers."""

from __future__ import annotations

import base64
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import stem
import threadwell

from .pages import is_sound

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-that-is-long-enough-for-tests-0002"
#: A picture of one point.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Clinic:
    """A store with an app, and its server, which can be killed and started again."""

    def __init__(self, store: str, workers: str) -> None:
        self.store = store
        self.workers = workers
        self.port = "0"
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        with threadwell.open(store) as tw:
            tw.add_account("app", "chat", {"secret": SECRET, "page": "yes"})
            nurse = {"resourceType": "Practitioner", "name": [{"text": "Nurse Berg"}]}
            self.nurse = f"Practitioner/{tw.create_resource(nurse)['id']}"
            tw.create_resource(
                {
                    "resourceType": "Patient",
                    "name": [{"given": ["Ines"], "family": "Sample"}],
                    "telecom": [{"system": "other", "value": "chat:app/ines"}],
                }
            )

    def start(self) -> None:
        command = [sys.executable, "-m", "threadwell", "serve", "--store", self.store]
        command += ["--port", self.port, "--workers", self.workers]
        self.process = stem.start(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        for line in self.process.stdout:
            if found := re.search(r"(http\S+:(\d+))/sign-in/\S+", line):
                self.url, self.port = found[1], found[2]
                return
        raise AssertionError("the server did not start")

    def stop(self, how: int = signal.SIGTERM) -> None:
        assert self.process
        self.process.send_signal(how)
        self.process.wait(60)

    def link(self) -> str:
        with threadwell.open(self.store) as tw:
            return str(tw.sign_in_link(self.url, who=self.nurse))

    def send(self, key: str, text: str) -> int:
        """Send as another device of the patient's; the answer's status."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        body = {"key": key, "text": text}
        url = f"{self.url}/chat/app/messages"
        return httpx.post(url, json=body, headers=headers).status_code

    def token(self) -> str:
        with threadwell.open(self.store) as tw:
            return str(tw.chat_token("app", "ines"))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def clinic(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    if request.param == "sqlite":
        made = Clinic(str(tmp_path_factory.mktemp("chat") / "clinic.db"), "1")
    else:
        server = request.getfixturevalue("postgres_server")
        made = Clinic(f"{server.url()}&schema=chatpage", "2")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def browse(chrome: Browser, clinic: Clinic) -> Iterator[Callable[[], Page]]:
    with ExitStack() as stack:

        def new() -> Page:
            context = stack.enter_context(chrome.new_context(base_url=clinic.url))
            context.set_default_timeout(60_000)
            return context.new_page()

        yield new


@pytest.mark.browser
def test_a_patient_and_a_nurse_write_to_each_other(
    clinic: Clinic, browse: Callable[[], Page]
) -> None:
    expect.set_options(timeout=60_000)
    patient, nurse = browse(), browse()
    patient.goto(f"/chat/app/#{clinic.token()}")
    expect(patient.locator("#state")).to_have_text("Connected")
    assert "#" not in patient.url
    is_sound(patient)
    patient.get_by_label("Your message").fill("Is this <b>rash</b> bad?")
    patient.get_by_label("A file").set_input_files(
        {"name": "rash.png", "mimeType": "image/png", "buffer": PNG}
    )
    patient.get_by_role("button", name="Send").click()
    own = patient.locator("#messages li.own")
    expect(own).to_contain_text("Is this <b>rash</b> bad?")
    shown = patient.get_by_role("img", name="rash.png")
    expect(shown).to_be_visible()
    assert shown.evaluate("one => one.naturalWidth") == 1

    nurse.goto(clinic.link())
    nurse.get_by_role("button", name="Sign in").click()
    nurse.get_by_role("link", name=re.compile("Ines Sample")).click()
    expect(nurse.get_by_text("Is this <b>rash</b> bad?")).to_be_visible()
    expect(nurse.get_by_role("img", name="rash.png")).to_be_visible()

    patient.get_by_label("Your message").press_sequentially("It")
    expect(nurse.get_by_text("Ines Sample is typing…")).to_be_visible()
    nurse.get_by_label("Reply by App").press_sequentially("No: ")
    expect(patient.get_by_text("The practice is typing…")).to_be_visible()
    nurse.get_by_label("Reply by App").fill("No, it will fade.")
    nurse.get_by_role("button", name="Send", exact=True).click()
    answer = patient.locator("#messages li:not(.own)")
    expect(answer).to_contain_text("No, it will fade.")
    expect(nurse.locator(".message.ours .by")).to_contain_text("· read")
    is_sound(patient)

    # The server dies as soon as it has acknowledged what the patient's other device has sent, and
    # the patient writes all the same.
    for number in range(5):
        assert clinic.send(f"k{number}", f"From my watch {number}") == 201
    clinic.stop(signal.SIGKILL if clinic.workers == "1" else signal.SIGTERM)
    expect(patient.locator("#state")).to_have_text("Not connected: trying again")
    patient.get_by_label("Your message").fill("It itches, too.")
    patient.get_by_role("button", name="Send").click()
    expect(own.filter(has_text="It itches, too.")).to_have_count(1)
    clinic.start()
    assert clinic.send("k0", "From my watch 0") == 200
    expect(patient.locator("#state")).to_have_text("Connected")
    expect(nurse.get_by_text("It itches, too.")).to_be_visible()

    # The patient is in a tunnel.
    patient.context.set_offline(True)
    expect(patient.locator("#state")).to_have_text("Not connected: trying again")
    nurse.get_by_label("Reply by App").fill("Cool it.")
    nurse.get_by_role("button", name="Send", exact=True).click()
    expect(nurse.get_by_text("Cool it.")).to_be_visible()
    patient.context.set_offline(False)
    expect(patient.locator("#state")).to_have_text("Connected")
    expect(patient.locator("#messages li:not(.own)")).to_have_count(2)
    expect(own).to_have_count(7)
    expect(nurse.locator(".message")).to_have_count(9)

    patient.reload()
    expect(patient.locator("#state")).to_have_text("Connected")
    expect(patient.locator("#messages li")).to_have_count(9)


def test_only_an_account_that_says_so_has_a_page(clinic: Clinic) -> None:
    with threadwell.open(clinic.store) as tw:
        tw.add_account("bare", "chat", {"secret": SECRET})
    for name in ("", "chat.js", "chat.css"):
        answer = httpx.get(f"{clinic.url}/chat/app/{name}")
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert httpx.get(f"{clinic.url}/chat/bare/{name}").status_code == 404
