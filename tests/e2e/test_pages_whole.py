"""Every page on which people act, in a real Chromium: by keyboard, on a phone, at twice the size.

One server and one browser serve the whole module.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import stem
import threadwell
from threadwell.app import open_store
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.intake.arrivals.journal import ARRIVED, entries, keep
from threadwell.intake.arrivals.stuck import move_aside
from threadwell.stores.contract import DEFAULT_PROJECT

from .pages import AXE, complaints, is_sound, led_to
from .provider import ACCOUNT, OFFICE, TOKEN, Provider, text

ROOT = Path(__file__).resolve().parents[2]
#: In a second scheme only the colours are others.
COLOURS = {"runOnly": ["color-contrast"]}
ANA, HANA = "+12075550111", "+12075550192"
#: A phone; and a window of a desk at twice the size of everything.
PHONE, TWICE = {"width": 360, "height": 740}, {"width": 590, "height": 430}

#: Everything of the content that can be acted on, and is there to be seen.
REACHABLE = """() => [...document.querySelectorAll(
        'main :is(a[href], button, input:not([type=hidden]), select, textarea, summary, '
        + '[tabindex="0"])')]
    .filter(one => one.checkVisibility() && !one.disabled && one.tabIndex >= 0)
    // Of radio buttons of one name the keyboard stops at one.
    .filter(one => one.type !== 'radio' || one.form.querySelector(`[name="${one.name}"]`) === one)
    .length"""
#: Where the focus is: its place among those, and whether it is seen.
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one.closest('main') || one.id === 'main') return null;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    // A date has three stops, and is one thing.
    one.dataset.stop ??= document.querySelectorAll("[data-stop]").length;
    return {stop: one.dataset.stop,
            seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            inside: box.bottom > 0 && box.top < innerHeight
                && box.right > 0 && box.left < innerWidth,
            what: one.outerHTML.slice(0, 120)};
}"""

pytestmark = pytest.mark.browser


@dataclass
class Practice:
    """A served store with something on every page; the ids of what is there."""

    store: Path
    url: str
    provider: Provider
    doctor: str
    sessions: dict[str, str]

    def pages(self) -> dict[str, str]:
        """Every page on which people act."""
        with threadwell.open(self.store) as tw:
            session = self.sessions[ANA]
            header = tw.search_resources(
                "Communication", f"encounter=Encounter/{session}&part-of:missing=true"
            )[0]["id"]
            ours = tw.search_resources(
                "Communication", f"part-of=Communication/{header}&sender={self.doctor}"
            )[0]["id"]
            patient = tw.search_resources("Patient", f"phone={quote(ANA)}")[0]["id"]
            patients = [one["id"] for one in tw.search_resources("Patient", "family=Castellano")]
            held = {one.reason: one.task.removeprefix("Task/") for one in tw.quarantine()}
            questions = [one.task.removeprefix("Task/") for one in tw.reviews() if one.candidates]
        return {
            "sessions": "/",
            "nobody's": "/?waiting=nobodys",
            "a thread that waits": f"/sessions/{session}",
            "a message": f"/sessions/{session}/messages/{ours}",
            "a thread": f"/sessions/{session}/threads/{header}",
            "split": f"/sessions/{session}/split",
            "about whom": f"/sessions/{session}/about",
            "a patient": f"/patients/{patient}",
            "search": "/find?in=messages",
            "patients found": f"/find?id={patient}&id={patients[-1]}",
            "dismissed": "/quarantine?dismissed=1",
            "reviews": "/reviews",
            "a review": f"/reviews/{questions[0]}",
            "quarantine": "/quarantine",
            "a twin": f"/quarantine/{held['suspected-duplicate']}",
            "a stranger": f"/quarantine/{held['unknown-sender']}",
            "whose address": f"/quarantine/{held['unknown-sender']}/person",
            "deliveries": "/deliveries",
        }


async def _stick(store: Path) -> None:
    """A delivery that no channel reads."""
    opened = open_store(str(store))
    try:
        at = datetime(2026, 3, 12, 8, tzinfo=UTC)
        delivery = Delivery("POST", ("http://a.example.org/",), {}, b"x", at)
        account = Account("old-desk", "twilio", (), {})
        await keep(opened, DEFAULT_PROJECT, account, delivery, frozenset())
        for one in await entries(opened, DEFAULT_PROJECT, ARRIVED):
            await move_aside(opened, DEFAULT_PROJECT, one, "no channel here reads it", 1)
    finally:
        await opened.close()


def _until(found: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (there := found()):
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.05)
    return there


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("whole")
    store = folder / "practice.db"
    with threadwell.open(store) as tw:
        people = ROOT / "sample" / "people.csv"
        tw.import_messages(ROOT / "sample", people=people, zone="America/New_York")
        secrets = {"account_sid": ACCOUNT, "auth_token": TOKEN, "api_url": "http://127.0.0.1:9"}
        tw.add_account("front-desk", "twilio", secrets, addresses=OFFICE)
        tw.save_reply("signed", "Yours, {{sender.name}}", title="Signed")
        tw.save_reply("hours", "We are open from eight to five.", title="Opening hours")
        name = [{"given": ["Hana"], "family": "Sato"}]
        telecom = [{"system": "phone", "value": HANA}]
        tw.create_resource({"resourceType": "Patient", "name": name, "telecom": telecom})
        tw.create_resource(
            {"resourceType": "Practitioner", "name": [{"given": ["Omar"], "family": "Lund"}]}
        )
        (okafor,) = tw.search_resources("Practitioner", "family=Okafor")
    # The browser has a loop in this thread.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(_stick(store))).result()
    command = [sys.executable, "-m", "threadwell", "serve", "--store", str(store), "--port", "0"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            lines = (re.search(r"(http\S+)/sign-in/\S+", line) for line in process.stdout)
            url = next(one[1] for one in lines if one)
            provider = Provider(f"{url}/hooks/front-desk")
            provider.deliver(text(1, "Shall I stop the tablets?", ANA))
            provider.deliver(text(2, "Is my form there?", HANA))
            provider.deliver(text(3, "Is anyone there?", "+12075550178"))
            yield _at_work(store, url, provider, f"Practitioner/{okafor['id']}")
        finally:
            process.terminate()


def _at_work(store: Path, url: str, provider: Provider, doctor: str) -> Practice:
    with threadwell.open(store) as tw:

        def live() -> dict[str, str]:
            now = (one for one in tw.sessions() if one.channels == ("twilio",))
            there = {who: one.id for one in now for who in one.patients}
            of = {
                number: f"Patient/{one['id']}"
                for number in (ANA, HANA)
                for one in tw.search_resources("Patient", f"phone={quote(number)}")
            }
            found = {number: there.get(who, "") for number, who in of.items()}
            return found if len(tw.quarantine()) and all(found.values()) else {}

        sessions = _until(live)
        tw.reply(f"Encounter/{sessions[ANA]}", "Take it twice a day.", sender=doctor)
        # The phone of the practice has a copy of what came by its provider.
        (came,) = tw.search_resources(
            "Communication", f"part-of.encounter=Encounter/{sessions[HANA]}"
        )
        at = int(datetime.fromisoformat(came["sent"]).timestamp() * 1000)
        copy = store.parent / "copy.xml"
        copy.write_text(
            f'<smses count="1"><sms address="{HANA}" date="{at}" type="1" '
            f'body="{came["payload"][0]["contentString"]}" date_sent="{at}" read="1" /></smses>'
        )
        tw.import_messages(copy, owner=OFFICE)
    return Practice(store, url, provider, doctor, sessions)


def _signed_in(chrome: Browser, practice: Practice, *, script: bool = True) -> BrowserContext:
    context = chrome.new_context(base_url=practice.url, java_script_enabled=script)
    context.set_default_timeout(60_000)
    page = context.new_page()
    with threadwell.open(practice.store) as tw:
        page.goto(tw.sign_in_link(practice.url, who=practice.doctor))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
    return context


@pytest.fixture(scope="module")
def desk(chrome: Browser, practice: Practice) -> Iterator[Page]:
    """Signed in, with script; at last nothing was complained of."""
    context = _signed_in(chrome, practice)
    page = context.pages[0]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [one for one in complaints if "status of 4" not in one] == []


def _pages(desk: Page, practice: Practice) -> dict[str, str]:
    """Every page on which people act, with what a search finds and what somebody has dismissed."""
    desk.goto("/find?in=messages")
    desk.get_by_role("searchbox", name="Words").fill("tablets")
    desk.get_by_role("button", name="Find").click()
    expect(desk).to_have_url(re.compile(r"/find/[\w-]+$"))
    led_to(desk, re.compile("found"))
    found = desk.url
    desk.goto("/quarantine?dismissed=1")
    if desk.get_by_role("checkbox").count() == 0:
        desk.goto("/quarantine")
        desk.get_by_role("checkbox", name=re.compile("207-555-0177")).first.check()
        desk.get_by_role("button", name="Dismiss").click()
        expect(desk.get_by_role("status")).to_contain_text("dismissed")
    return {**practice.pages(), "messages found": found}


def test_every_page_is_reached_by_keyboard_on_a_phone_and_at_twice_the_size(
    desk: Page, practice: Practice
) -> None:
    wrong: dict[str, Any] = {}
    for name, path in _pages(desk, practice).items():
        desk.set_viewport_size(PHONE)
        desk.goto(path)
        wide = [desk.evaluate("document.documentElement.scrollWidth - innerWidth")]
        desk.set_viewport_size(TWICE)
        wide.append(desk.evaluate("document.documentElement.scrollWidth - innerWidth"))
        if max(wide) > 0:
            wrong[f"{name}: wider than the window"] = wide
        _picture(desk, name)
        many = desk.evaluate(REACHABLE)
        desk.locator("main").focus()
        reached: set[str] = set()
        for _ in range(many + 5):
            desk.keyboard.press("Tab")
            at = desk.evaluate(FOCUSED)
            if at is None:
                break
            reached.add(at["stop"])
            if not (at["seen"] and at["inside"]):
                wrong[f"{name}: the focus is not seen"] = at
        if len(reached) != many or many == 0:
            wrong[f"{name}: by keyboard"] = (len(reached), many)
    assert wrong == {}


def test_axe_finds_nothing_on_any_page(desk: Page, practice: Practice) -> None:
    if not AXE.is_file():
        pytest.skip("left out: no npm packages (make test installs them)")
    wrong = {}
    desk.set_viewport_size(PHONE)
    for name, path in _pages(desk, practice).items():
        desk.emulate_media(color_scheme="light")
        desk.goto(path)
        found = complaints(desk)
        desk.emulate_media(color_scheme="dark", reduced_motion="reduce")
        if found := found + complaints(desk, **COLOURS):
            wrong[name] = found
    assert wrong == {}


def test_a_morning_by_keyboard(desk: Page, practice: Practice) -> None:
    """From the list to a thread; a saved reply is sent; what comes meanwhile takes no word."""
    desk.emulate_media(color_scheme="light", reduced_motion="reduce")
    desk.set_viewport_size({"width": 1180, "height": 860})
    press = desk.keyboard.press
    desk.goto("/")
    rows = desk.locator("a.row")
    press("j")
    expect(rows.nth(0)).to_be_focused()
    press("j")
    press("k")
    expect(rows.nth(0)).to_be_focused()
    press("?")
    keys = desk.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    is_sound(desk)
    press("Escape")
    expect(keys).to_be_hidden()
    desk.goto(f"/sessions/{practice.sessions[HANA]}")
    box = desk.get_by_label("Reply by Text message")
    press("r")
    expect(box).to_be_focused()
    # A letter is a letter where somebody writes.
    desk.keyboard.type("Yes, je.\n/sig")
    choices = desk.get_by_role("listbox", name="Saved replies")
    expect(choices.get_by_role("option")).to_have_text(["Signed"])
    is_sound(desk)
    press("Enter")
    expect(box).to_have_value("Yes, je.\nYours, Miriam Okafor")
    expect(box).to_be_focused()
    # What others write stands there, is told politely, and takes no word away.
    press("Home")
    practice.provider.deliver(text(20, "And the bill?", HANA))
    expect(desk.locator(".message").last).to_contain_text("And the bill?")
    expect(desk.get_by_role("status")).to_have_text("There is something new.")
    expect(box).to_be_focused()
    desk.keyboard.type("Kindly: ")
    expect(box).to_have_value("Yes, je.\nKindly: Yours, Miriam Okafor")
    press("Control+Enter")
    ours = desk.locator(".message.ours")
    expect(ours.last).to_contain_text("Kindly: Yours, Miriam Okafor")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    press("Escape")
    press("k")
    press("k")
    press("j")
    expect(ours.last).to_be_focused()
    press("m")
    led_to(desk, "A message of Miriam Okafor")
    press("u")
    expect(desk).to_have_url(re.compile(r"/sessions/[^/]+#m-"))
    # The keys are there when the page is.
    desk.wait_for_load_state()
    # Whoever wants no keys has none.
    press("?")
    keys.get_by_role("checkbox").uncheck()
    press("Escape")
    press("m")
    press("r")
    expect(box).not_to_be_focused()
    desk.evaluate("localStorage.clear()")


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_a_message_is_corrected_and_a_thread_is_joined_and_closed(
    chrome: Browser, practice: Practice, script: bool
) -> None:
    context = _signed_in(chrome, practice, script=script)
    desk = context.pages[0]
    desk.goto(f"/sessions/{practice.sessions[ANA]}")
    wrong = desk.locator(".message.ours:not(.retracted)").last
    said = wrong.locator(".text").inner_text()
    wrong.get_by_role("link", name="More").click()
    desk.get_by_label("What it should say").fill(f"{said} Or once.")
    form = desk.locator("#correcting")
    form.get_by_label("Why").fill("A slip")
    form.get_by_role("button", name="Send the correction").click()
    right = desk.locator(".message.ours").last
    expect(right).to_contain_text(f"{said} Or once.")
    expect(right).to_contain_text("what was written before")
    before = desk.locator(".message.retracted").last
    expect(before).to_contain_text(said)
    expect(before).to_contain_text("A slip")
    # Somebody joins, by name, and is taken out.
    desk.get_by_role("link", name="Who takes part").first.click()
    desk.get_by_role("searchbox", name="Who should join").fill("Lund")
    desk.keyboard.press("Enter")
    desk.get_by_role("button", name="Let join Omar Lund").click()
    told = desk.get_by_role("main").get_by_role("status").first
    expect(told).to_have_text("They take part from now on.")
    expect(desk.get_by_role("heading", name="Who takes part")).to_be_focused()
    desk.get_by_role("button", name="Take out Omar Lund").click()
    expect(desk.get_by_role("button", name="Take out Omar Lund")).to_have_count(0)
    desk.get_by_role("button", name="Close the thread").click()
    expect(desk.get_by_role("heading", name="It is closed")).to_be_focused()
    desk.get_by_role("button", name="Open the thread again").click()
    expect(desk.get_by_role("heading", name="It is open")).to_be_visible()
    context.close()


def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get("THREADWELL_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"whole-{name.replace(' ', '-')}.png", full_page=True)
