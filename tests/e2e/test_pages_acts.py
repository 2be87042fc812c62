"""People act on the pages over the sample practice, in a real Chromium; axe finds nothing.

Each test has a practice of its own, served by a process of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import stem
import threadwell

from .pages import AXE, is_sound, led_to
from .provider import ACCOUNT, OFFICE, TOKEN, Provider, text

ROOT = Path(__file__).resolve().parents[2]
THREADWELL = [sys.executable, "-m", "threadwell"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample practice, imported."""
    path = tmp_path_factory.mktemp("acts") / "practice.db"
    people = ROOT / "sample" / "people.csv"
    with threadwell.open(path) as tw:
        tw.import_messages(ROOT / "sample", people=people, zone="America/New_York")
    return path


@contextmanager
def _served(store: Path) -> Iterator[str]:
    command = [*THREADWELL, "serve", "--store", str(store), "--port", "0"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                if found := re.search(r"(http\S+)/sign-in/\S+", line):
                    yield found[1]
                    break
        finally:
            process.terminate()


@pytest.fixture
def practice(sample: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A copy of the sample practice, and where it is served."""
    store = tmp_path / "practice.db"
    shutil.copyfile(sample, store)
    with _served(store) as url:
        yield store, url


@pytest.fixture(params=["script", "without"])
def desk(request: Any, chrome: Browser, practice: tuple[Path, str]) -> Iterator[Page]:
    """A browser in which the practitioner is signed in, with script and without."""
    context = chrome.new_context(
        viewport={"width": 1180, "height": 860},
        base_url=practice[1],
        java_script_enabled=request.param == "script",
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    _sign_in(page, *practice)
    yield page
    context.close()
    # A form that is refused is told by its status; what counts is that no script or style is.
    assert [one for one in complaints if "status of 4" not in one] == []


def _sign_in(page: Page, store: Path, url: str) -> None:
    with threadwell.open(store) as tw:
        (doctor,) = tw.search_resources("Practitioner", "family=Okafor")
        page.goto(tw.sign_in_link(url, who=f"Practitioner/{doctor['id']}"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")


@pytest.fixture
def well_made(request: Any) -> Callable[[Page], None]:
    """Checks that axe finds nothing on a page, where it is installed and the page has scripts."""
    if not AXE.is_file():
        pytest.skip("left out: no npm packages (make test installs them)")

    def check(page: Page) -> None:
        if "without" in request.node.name:
            return
        is_sound(page)

    return check


def test_a_review_is_answered(desk: Page, practice: Any, well_made: Any) -> None:
    desk.get_by_role("link", name=re.compile("Review")).first.click()
    led_to(desk, "To review")
    number = desk.get_by_role("main").get_by_role("listitem").count()
    well_made(desk)
    desk.get_by_role("link", name=re.compile("Castellano or")).first.click()
    led_to(desk, "Whom is this session about?")
    expect(desk.get_by_role("region", name="What was written")).to_contain_text("Castellano")
    well_made(desk)
    desk.get_by_role("button", name="Say so", exact=True).click()
    expect(desk.get_by_role("alert")).to_have_text(re.compile("Choose whom it is about first"))
    desk.get_by_role("checkbox", name=re.compile("Leo Castellano")).check()
    desk.get_by_role("button", name="Say so", exact=True).click()
    expect(desk).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}$"))
    expect(desk.get_by_text("Miriam Okafor has said so.").first).to_be_visible()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Leo Castellano")
    well_made(desk)
    with threadwell.open(practice[0]) as tw:
        assert len(tw.reviews()) == number - 1


def test_held_messages_are_dismissed_and_held_again(desk: Page, well_made: Any) -> None:
    desk.get_by_role("link", name=re.compile("Quarantine")).click()
    led_to(desk, "Quarantine")
    boxes = desk.get_by_role("checkbox")
    number = boxes.count()
    well_made(desk)
    first = str(boxes.first.get_attribute("value"))
    boxes.first.check()
    boxes.nth(1).check()
    desk.get_by_role("button", name="Dismiss").click()
    expect(desk.get_by_role("status")).to_contain_text("dismissed")
    expect(boxes).to_have_count(number - 2)
    well_made(desk)
    desk.get_by_role("link", name="Dismissed", exact=True).click()
    expect(boxes).to_have_count(2)
    desk.locator(f'[value="{first}"]').check()
    well_made(desk)
    desk.get_by_role("button", name="Hold them again").click()
    expect(desk.get_by_role("status")).to_contain_text("held again")
    expect(boxes).to_have_count(number - 1)


def test_a_held_message_becomes_a_patients(desk: Page, well_made: Any) -> None:
    desk.get_by_role("link", name=re.compile("Quarantine")).click()
    desk.get_by_role("link", name=re.compile("207-555-0177")).first.click()
    led_to(desk, re.compile("207-555-0177"))
    well_made(desk)
    desk.get_by_role("button", name="Make a patient of the address").click()
    expect(desk.get_by_role("status")).to_contain_text("place now")
    well_made(desk)


def test_an_address_becomes_somebodys(desk: Page, practice: Any, well_made: Any) -> None:
    desk.get_by_role("link", name=re.compile("Quarantine")).click()
    desk.get_by_role("link", name=re.compile("207-555-0177")).first.click()
    desk.get_by_role("link", name="Say whose address it is").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("207-555-0177")
    well_made(desk)
    desk.get_by_role("searchbox").fill("Leo")
    desk.keyboard.press("Enter")
    desk.get_by_role("checkbox", name=re.compile("Leo Castellano Patient")).check()
    relative = desk.get_by_role("group", name="A relative of the patients ticked above")
    relative.get_by_label("Given name").fill("Dana")
    relative.get_by_label("What they are").fill("grandmother")
    well_made(desk)
    relative.get_by_role("button").click()
    expect(desk.get_by_role("status")).to_contain_text("place now")
    assert "Dana" not in desk.url
    with threadwell.open(practice[0]) as tw:
        (dana,) = tw.search_resources("RelatedPerson", "name=Dana")
        assert dana["telecom"] == [{"system": "phone", "value": "+12075550177"}]
        query = f"sender=RelatedPerson/{dana['id']}&part-of:missing=false"
        sent = tw.search_resources("Communication", query)
        assert {one["subject"]["reference"] for one in sent} == {dana["patient"]["reference"]}


def _session_of(practice: Any, status: str) -> str:
    """The id of a session of that status that can be acted on."""
    with threadwell.open(practice[0]) as tw:
        return str(next(one.id for one in tw.sessions(status=status) if one.messages))


def test_a_session_is_opened_again_and_closed(desk: Page, practice: Any, well_made: Any) -> None:
    session = _session_of(practice, "finished")
    desk.goto(f"/sessions/{session}")
    todo = desk.get_by_role("region", name="What to do")
    well_made(desk)
    todo.get_by_label("Why").fill("She calls back")
    todo.get_by_role("button", name="Open it again").click()
    expect(todo.get_by_role("button", name="Close the session")).to_be_visible()
    expect(desk.locator(".facts .pill")).to_have_text("Open")
    well_made(desk)
    todo.get_by_role("button", name="Close the session").click()
    expect(desk.locator(".facts .pill")).to_have_text("Finished")
    assert "calls" not in desk.url
    with threadwell.open(practice[0]) as tw:
        notes = [one.get("note") for one in tw.search_resources("Task", "status=completed")]
        assert [{"text": "She calls back"}] in notes


def test_a_billed_session_says_why_it_stays(desk: Page, practice: Any, well_made: Any) -> None:
    session = _session_of(practice, "finished")
    lock = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    with threadwell.open(practice[0]) as tw:
        add = [{"op": "add", "path": "/meta/tag", "value": [lock]}]
        tw.patch_resource("Encounter", session, add)
    desk.goto(f"/sessions/{session}")
    desk.get_by_role("button", name="Open it again").click()
    expect(desk.get_by_role("alert")).to_contain_text("has been billed")
    well_made(desk)


def test_a_session_is_opened_before_anybody_writes(
    desk: Page, practice: Any, well_made: Any
) -> None:
    with threadwell.open(practice[0]) as tw:
        tw.create_resource({"resourceType": "Patient", "name": [{"given": ["Ida"]}]})
        (ida,) = tw.search_resources("Patient", "given=Ida")
    desk.goto(f"/patients/{ida['id']}")
    well_made(desk)
    desk.get_by_role("button", name="Open a session").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Ida")
    expect(desk.get_by_role("heading", name="No messages yet")).to_be_visible()
    well_made(desk)


def test_a_session_is_split_with_a_few_keys(
    request: Any, desk: Page, practice: Any, well_made: Any
) -> None:
    with threadwell.open(practice[0]) as tw:
        mia = tw.search_resources("Patient", "given=Mia")[0]["id"]
        session = next(one for one in tw.sessions() if len(one.names) == 2)
    desk.goto(f"/sessions/{session.id}")
    desk.get_by_role("link", name="Change them").click()
    led_to(desk, "Split by patient")
    well_made(desk)
    messages = desk.locator(".cut")
    number = messages.count()
    share = desk.get_by_role("region", name="Mia Castellano")
    if "without" not in request.node.name:
        expect(desk.locator(".keys")).to_be_visible()
        press = desk.keyboard.press
        messages.first.get_by_role("checkbox").first.focus()
        # Everything is both children's, then the first one's, then all but the last one.
        for _ in range(number - 1):
            press("Shift+ArrowDown")
        expect(desk.get_by_role("status")).to_have_text(f"{number} messages are chosen.")
        press("0")
        expect(desk.locator(".cut :checked")).to_have_count(2 * number)
        expect(messages.last.get_by_role("checkbox").first).to_be_focused()
        press("Shift+ArrowUp")
        press("Shift+1")
        expect(share.locator(".number")).to_have_text(f"{number - 2} message" + "s" * (number != 3))
        for _ in range(number):
            press("ArrowUp")
        for _ in range(number):
            press("1")
        expect(desk.locator('.cut [data-number="2"]:checked')).to_have_count(0)
        expect(share.locator(".outcome")).to_have_text("The session encounter is theirs.")
        press("2")
    else:
        for box in messages.get_by_role("checkbox", name="Mia Castellano").all():
            box.check()
        for box in messages.get_by_role("checkbox", name="Leo Castellano").all():
            box.uncheck()
        last = messages.last
        last.get_by_role("checkbox", name="Mia Castellano").uncheck()
        last.get_by_role("checkbox", name="Leo Castellano").check()
        desk.get_by_role("button", name="Show what becomes of it").click()
    expect(share.locator(".outcome")).to_have_text("A medical encounter of their own.")
    share.get_by_label("Reason").fill("Sleeps through")
    well_made(desk)
    desk.get_by_role("button", name="Split", exact=True).click()
    expect(desk).to_have_url(re.compile(rf"/sessions/{session.id}$"))
    expect(desk.get_by_role("region", name="Medical encounters")).to_contain_text("Sleeps through")
    with threadwell.open(practice[0]) as tw:
        about = f"part-of=Encounter/{session.id}&subject=Patient/{mia}"
        (care,) = tw.search_resources("Encounter", about)
        assert care["reasonCode"] == [{"text": "Sleeps through"}]


def _write_to_the_practice(practice: Any, words: str) -> str:
    """Ana writes by a live account, which nothing can be sent by; the id of the session."""
    store, url = practice
    with threadwell.open(store) as tw:
        secrets = {"account_sid": ACCOUNT, "auth_token": TOKEN}
        api = {"api_url": "http://127.0.0.1:9"}
        tw.add_account("front-desk", "twilio", secrets | api, addresses=OFFICE)
        said = text(1, words, "+12075550111")
        Provider(f"{url}/hooks/front-desk").deliver(said)
        until = time.monotonic() + 60
        while True:
            session = tw.sessions()[0]
            if session.channels == ("twilio",):
                return str(session.id)
            assert time.monotonic() < until, "it is not taken in"
            time.sleep(0.05)


def test_a_reply_is_written_with_a_file(
    request: Any, desk: Page, practice: Any, well_made: Any, tmp_path: Path
) -> None:
    session = _write_to_the_practice(practice, "Shall I stop the tablets?")
    with threadwell.open(practice[0]) as tw:
        tw.save_reply("signed", "Yours, {{sender.name}}", title="Signed")
    desk.goto(f"/sessions/{session}")
    box = desk.get_by_label("Reply by Text message")
    send = desk.get_by_role("button", name="Send", exact=True)
    files = desk.get_by_label("Up to 10 files")
    care = desk.get_by_role("region", name="Waits for an answer")
    care.get_by_text("Give it to somebody").click()
    well_made(desk)
    care.get_by_role("button", name="Take care of it").click()
    expect(care).to_contain_text("You take care of it.")
    expect(box).to_be_focused()
    well_made(desk)
    # What is refused stays where it was written, and says why there.
    picture = tmp_path / "plan.png"
    picture.write_bytes(b"\x89PNG" + b"0" * 5_000_000)
    box.fill("Not yet: see the plan.")
    files.set_input_files(picture)
    send.click()
    form = desk.locator("form.reply")
    again = r" Choose the files again\." if "without" in request.node.name else ""
    expect(form.get_by_role("alert")).to_have_text(re.compile(rf"more than 5 MB\D*{again}$"))
    expect(box).to_have_value("Not yet: see the plan.")
    expect(box).to_be_focused()
    well_made(desk)
    # What others write meanwhile takes nothing of it away.
    said = text(2, "And the drops?", "+12075550111")
    Provider(f"{practice[1]}/hooks/front-desk").deliver(said)
    if "without" not in request.node.name:
        expect(desk.locator(".message").last).to_contain_text("And the drops?")
    expect(form.get_by_role("alert")).to_have_count(1)
    expect(box).to_have_value("Not yet: see the plan.")
    # It is kept as a draft, and gone on with.
    desk.get_by_role("button", name="Keep as a draft").click()
    expect(form).to_contain_text("Your draft of")
    expect(box).to_have_value("Not yet: see the plan.")
    desk.get_by_label("Saved reply").select_option("Signed")
    desk.get_by_role("button", name="Put it in").click()
    expect(box).to_have_value("Not yet: see the plan.\n\nYours, Miriam Okafor")
    well_made(desk)
    picture.write_bytes(b"\x89PNG" + b"0" * 500)
    files.set_input_files(picture)
    send.click()
    reply = desk.locator(".message.ours").last
    expect(reply).to_contain_text("Yours, Miriam Okafor")
    expect(form).not_to_contain_text("Your draft of")
    expect(care).to_have_count(0)
    expect(reply.get_by_role("img", name="plan.png")).to_have_count(1)
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    # Nothing can be sent by that account, and a person decides.
    with threadwell.open(practice[0]) as tw:
        until = time.monotonic() + 60
        while not tw.dead_letters():
            assert time.monotonic() < until, "it is not given up"
            time.sleep(0.05)
    desk.reload()
    expect(reply).to_contain_text("not sent")
    well_made(desk)
    reply.get_by_role("button", name="Leave it unsent").click()
    # It says so from now on, and may be sent once more.
    expect(reply.get_by_role("button")).to_have_text(["Send again"])
    with threadwell.open(practice[0]) as tw:
        assert tw.dead_letters() == []


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has a name like that has the focus, as somebody without a mouse does."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if re.match(name, _called(page)):
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


def _called(page: Page) -> str:
    told: str = page.evaluate(
        """() => {
            const one = document.activeElement;
            if (!one || one === document.body) return '';
            return one.ariaLabel || one.labels?.[0]?.innerText || one.innerText;
        }"""
    )
    return " ".join(told.split())


def test_a_day_by_keyboard_alone(desk: Page, practice: Any) -> None:
    """A question is answered, a held message released, a session opened again and closed."""
    press = desk.keyboard.press
    _tab_to(desk, "Review")
    press("Enter")
    led_to(desk, "To review")
    # The first link of the content, by the way of the link that skips the menu.
    _tab_to(desk, "Skip to the content")
    press("Enter")
    link = desk.get_by_role("link", name=re.compile("Castellano or")).first
    _tab_to(desk, re.escape(" ".join(link.inner_text().split())))
    press("Enter")
    led_to(desk, "Whom is this session about?")
    _tab_to(desk, "Leo Castellano")
    press("Space")
    _tab_to(desk, "Say so")
    press("Enter")
    led_to(desk, "Leo Castellano")
    _tab_to(desk, "Quarantine")
    press("Enter")
    led_to(desk, "Quarantine")
    stranger = desk.get_by_role("checkbox", name=re.compile("207-555-0177")).first
    expect(stranger).to_be_visible()
    _tab_to(desk, "Choose .*207-555-0177")
    press("Space")
    _tab_to(desk, "Make patients of unknown senders")
    press("Enter")
    expect(desk.get_by_role("status")).to_contain_text("place now")
    desk.wait_for_load_state()
    _tab_to(desk, "Sessions")
    press("Enter")
    led_to(desk, "Sessions")
    _tab_to(desk, "Finished")
    press("Enter")
    expect(desk.get_by_role("link", name="Finished", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    desk.wait_for_load_state()
    row = desk.locator("a.row").first
    _tab_to(desk, re.escape(" ".join(row.inner_text().split())))
    press("Enter")
    expect(desk.locator(".facts .pill")).to_have_text("Finished")
    desk.wait_for_load_state()
    _tab_to(desk, "Open it again")
    press("Enter")
    expect(desk.locator(".facts .pill")).to_have_text("Open")
    desk.wait_for_load_state()
    _tab_to(desk, "Why")
    desk.keyboard.type("All is said")
    _tab_to(desk, "Close the session")
    press("Enter")
    expect(desk.locator(".facts .pill")).to_have_text("Finished")
