"""The pages over the sample practice, walked in a real Chromium.

With ``THREADWELL_SCREENSHOTS`` set to a folder, pictures of them are kept there;
``docs/images/inbox.png`` is ``sessions-wide.png`` and ``docs/images/session.png`` is
``session-wide.png`` of such a run. ``docs/images/living.png`` is the page of Robin Pretend in a run
of ``make run``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import stem

from .pages import led_to

ROOT = Path(__file__).resolve().parents[2]
THREADWELL = [sys.executable, "-m", "threadwell"]
WIDE, PHONE = (1180, 860), (390, 844)
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
#: Links and buttons that a finger may miss (WCAG 2.2 §2.5.8): those within a text may be small.
SMALL = """[...document.querySelectorAll('a, button, input, summary')]
    .filter(one => getComputedStyle(one).display !== 'inline')
    .filter(one => one.getBoundingClientRect().width > 2)
    .filter(one => one.getBoundingClientRect().height < 24)
    .map(one => one.textContent.trim())"""

#: What stands outside of a row that hides what is too wide for it.
CUT = """[...document.querySelectorAll('.rows .end *, .card *')]
    .filter(one => one.getBoundingClientRect().right
        > one.closest('.rows, .card').getBoundingClientRect().right + 1)
    .map(one => one.textContent.trim())"""

#: The address of a page of a session.
SESSION = re.compile(r"/sessions/[0-9a-f-]{36}$")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample practice, imported."""
    path = tmp_path_factory.mktemp("pages") / "practice.db"
    sample = ROOT / "sample"
    people = ["--people", str(sample / "people.csv"), "--zone", "America/New_York"]
    command = [*THREADWELL, "import", str(sample), *people, "--store", str(path)]
    stem.run(command)
    return path


@pytest.fixture(scope="module")
def sign_in_link(store: Path) -> Iterator[str]:
    """A server over the sample, and the link that it prints."""
    command = [*THREADWELL, "serve", "--store", str(store), "--port", "0"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                if found := re.search(r"http\S+/sign-in/\S+", line):
                    yield found[0]
                    break
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def signed_in(chrome: Browser, sign_in_link: str) -> Any:
    """What a browser keeps after it has opened the link, which works once."""
    context = chrome.new_context()
    page = context.new_page()
    page.goto(sign_in_link)
    page.goto(sign_in_link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
    return context.storage_state()


@pytest.fixture
def base(sign_in_link: str) -> str:
    return sign_in_link.partition("/sign-in/")[0]


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def page(
    request: pytest.FixtureRequest, chrome: Browser, signed_in: Any, base: str
) -> Iterator[Page]:
    """A signed-in browser at the list of sessions; nothing may be refused by its policy."""
    width, height = request.param
    context = chrome.new_context(
        viewport={"width": width, "height": height}, storage_state=signed_in, base_url=base
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto("/")
    yield page
    context.close()
    # A form that is refused is told by its status; what counts is that no script or style is.
    assert [one for one in complaints if "status of 400" not in one] == []


def test_without_signing_in_there_is_only_a_door(
    chrome: Browser, signed_in: Any, base: str
) -> None:
    page = chrome.new_page(base_url=base)
    for path in ("/", "/quarantine", "/sessions/x"):
        answer = page.goto(path)
        assert answer
        assert answer.status == 401
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to see the inbox")
    page.close()


def test_a_link_opens_once(chrome: Browser, signed_in: Any, sign_in_link: str) -> None:
    page = chrome.new_page()
    page.goto(sign_in_link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work any more")
    page.close()


def test_the_sessions_of_two_children(page: Page) -> None:
    _picture(page, "sessions")
    _is_well_made(page)
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(25)
    page.get_by_role("searchbox", name="Patient’s name").fill("Mia")
    page.get_by_role("button", name="Find").click()
    led_to(page, re.compile("Sessions of Mia"))
    page.get_by_role("link", name=re.compile("&")).first.click()
    expect(page).to_have_url(SESSION)
    led_to(page, re.compile("Mia"))
    about = page.get_by_role("complementary")
    medical = about.get_by_role("region", name="Medical encounters")
    expect(medical.get_by_role("listitem")).to_have_count(2)
    expect(about.get_by_role("region", name="Participants")).to_contain_text("Rosa Castellano")
    assert page.locator(".message").count() > 1
    assert page.locator(".message.ours").count() > 0
    look = "one => getComputedStyle(one).backgroundColor"
    theirs = page.locator(".message:not(.ours) .bubble").first.evaluate(look)
    assert page.locator(".message.ours .bubble").first.evaluate(look) != theirs
    _picture(page, "session")
    _is_well_made(page)


def test_a_patient_has_a_page(page: Page) -> None:
    page.get_by_role("searchbox", name="Patient’s name").fill("Mia")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="About the patient").click()
    led_to(page, "Mia Castellano")
    about = page.get_by_role("complementary")
    expect(about.get_by_role("region", name="Family")).to_contain_text("Rosa Castellano")
    expect(about.get_by_role("region", name="Threads")).to_contain_text("WhatsApp")
    _picture(page, "patient")
    _is_well_made(page)
    about.get_by_role("link", name="Leo Castellano").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Leo Castellano")


def test_a_thread_is_walked_forward_and_back(page: Page, base: str) -> None:
    page.get_by_role("searchbox", name="Patient’s name").fill("Leila Haddad")
    page.get_by_role("button", name="Find").click()
    led_to(page, "Sessions of Leila Haddad")
    newest, here = (page.locator(".row").nth(at).get_attribute("href") for at in (0, 1))
    page.locator(".row").nth(1).click()
    expect(page).to_have_url(f"{base}{here}")
    page.get_by_role("link", name="Later in this thread").click()
    expect(page).to_have_url(f"{base}{newest}")
    led_to(page, "Leila Haddad")
    expect(page.get_by_role("link", name="Later in this thread")).to_have_count(0)
    page.get_by_role("link", name="Earlier in this thread").click()
    expect(page).to_have_url(f"{base}{here}")


def test_the_list_goes_on_and_is_narrowed(page: Page) -> None:
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newer")).to_be_visible()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Channel").select_option("WhatsApp")
    page.get_by_label("From").fill("2025-06-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Show all")).to_be_visible()
    page.wait_for_load_state()
    assert set(page.locator(".row .chip").all_inner_texts()) == {"WhatsApp"}
    _picture(page, "filtered")
    _is_well_made(page)
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="Finished", exact=True).click()
    expect(page).to_have_url(re.compile("status=finished"))
    led_to(page, "Sessions")
    statuses = page.locator(".row .pill:not(.warn)").all_inner_texts()
    assert statuses
    assert set(statuses) == {"Finished"}
    _is_well_made(page)


def test_messages_are_found_by_words_days_and_patient(page: Page) -> None:
    page.get_by_role("searchbox", name="Patient’s name").fill("thank you")
    page.get_by_label("Look in").select_option("Messages")
    page.get_by_role("button", name="Find").click()
    words = page.get_by_role("searchbox", name="Words")
    expect(words).to_have_value("thank you")
    page.wait_for_load_state()
    expect(page.locator("mark").nth(1)).to_be_visible()
    assert "thank" not in page.url
    page.get_by_label("From").fill("soon")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_contain_text("“soon” is no day")
    page.get_by_role("searchbox", name="Patient").fill("Leila")
    page.get_by_label("From").fill("9/1/2025")
    page.get_by_label("To").fill("Sep 30, 2025")
    page.get_by_role("button", name="Find").click()
    row = page.locator(".row").first
    expect(row).to_contain_text("Leila Haddad")
    expect(row).to_contain_text("Sep ")
    _picture(page, "messages-found")
    _is_well_made(page)
    row.click()
    expect(page).to_have_url(re.compile("/sessions/.*#m-"))
    led_to(page, re.compile("Leila Haddad"))
    page.go_back()
    expect(words).to_have_value("thank you")


def test_a_list_is_gone_back_to_as_it_was_left(page: Page) -> None:
    page.get_by_role("searchbox", name="Patient’s name").fill("Castellano")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 patients found")
    assert "Castellano" not in page.url
    _picture(page, "found")
    _is_well_made(page)
    page.get_by_role("link", name=re.compile("Leo Castellano")).click()
    led_to(page, "Sessions of Leo Castellano")
    page.go_back()
    led_to(page, "2 patients found")
    page.get_by_role("link", name=re.compile("Leo Castellano")).click()
    led_to(page, "Sessions of Leo Castellano")
    page.get_by_role("link", name="Finished", exact=True).click()
    expect(page).to_have_url(re.compile("status=finished"))
    led_to(page, "Sessions of Leo Castellano")
    left = page.url
    page.locator(".row").first.click()
    expect(page).to_have_url(SESSION)
    page.get_by_role("link", name="← Sessions").click()
    expect(page).to_have_url(left)


def test_the_oldest_sessions_are_one_step_away(page: Page) -> None:
    page.get_by_role("link", name="Oldest", exact=True).click()
    expect(page.get_by_role("link", name="Newest", exact=True)).to_be_visible()
    page.wait_for_load_state()
    expect(page.get_by_role("link", name="Older →")).to_have_count(0)
    _is_well_made(page)
    expect(page.locator(".row").last).to_contain_text("Feb 3, 2025")
    page.get_by_role("link", name="Newest", exact=True).click()
    expect(page.locator(".row").first).to_contain_text("Dec 3, 2025")


def test_on_paper_there_is_the_record_alone(page: Page) -> None:
    page.get_by_role("link", name=re.compile("&")).first.click()
    expect(page).to_have_url(SESSION)
    page.wait_for_load_state()
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in ("banner", "navigation"):
        expect(page.get_by_role(hidden)).to_have_count(0)  # type: ignore[arg-type]
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Times are in America/New_York")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    _picture(page, "paper")
    assert page.evaluate(CONTRAST) == []


def test_a_shared_link_leads_on_after_signing_in(
    chrome: Browser, store: Path, base: str, page: Page
) -> None:
    href = page.locator(".row").nth(3).get_attribute("href")
    visitor = chrome.new_page()
    visitor.goto(f"{base}{href}")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Sign in to see the inbox")
    command = [*THREADWELL, "sign-in", "--url", base, "--store", str(store)]
    link = stem.run(command).strip()
    visitor.goto(link)
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor).to_have_url(f"{base}{href}")
    visitor.close()


def test_an_attachment_is_shown(page: Page) -> None:
    page.get_by_role("searchbox", name="Patient’s name").fill("Ana Prado")
    page.get_by_role("button", name="Find").click()
    led_to(page, "Sessions of Ana Prado")
    urls = [str(row.get_attribute("href")) for row in page.locator(".row").all()]
    for url in urls:
        page.goto(url)
        if pictures := page.locator(".picture").all():
            pictures[0].scroll_into_view_if_needed()
            page.wait_for_function("[...document.images].every(one => one.complete)")
            assert pictures[0].evaluate("one => one.naturalWidth") > 0
            _picture(page, "attachment")
            return
    raise AssertionError("no session of hers shows a picture")


def test_a_question_leads_to_its_answer(page: Page) -> None:
    row = page.get_by_role("link", name=re.compile("Patient unclear"))
    expect(row.first).to_contain_text("To review")
    page.get_by_role("link", name=re.compile("Review")).first.click()
    led_to(page, "To review")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(6)
    _picture(page, "reviews")
    _is_well_made(page)
    page.get_by_role("link", name=re.compile("Castellano or")).first.click()
    led_to(page, "Whom is this session about?")
    expect(page.get_by_role("checkbox", name=re.compile("Mia Castellano"))).to_be_visible()
    _picture(page, "review")
    _is_well_made(page)
    page.get_by_role("link", name="The whole session").click()
    expect(page.get_by_role("note")).to_contain_text("Mia Castellano")
    expect(page.get_by_role("note")).to_contain_text("Leo Castellano")
    _is_well_made(page)


def test_a_person_says_whom_it_is_about(page: Page) -> None:
    page.get_by_role("searchbox", name="Patient’s name").fill("Ana Prado")
    page.get_by_role("button", name="Find").click()
    led_to(page, "Sessions of Ana Prado")
    page.locator(".row").first.click()
    expect(page).to_have_url(SESSION)
    session = page.url
    about = page.get_by_role("complementary")
    page.get_by_role("link", name="About whom?").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Whom is this message about?")
    page.get_by_role("searchbox", name="Somebody else’s name, phone or mail").fill("Mia")
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="Mia Castellano").check()
    _picture(page, "about-message")
    _is_well_made(page)
    page.get_by_role("button", name="Say so", exact=True).click()
    expect(page).to_have_url(session)
    expect(
        page.get_by_text("About Mia Castellano: a person on the pages has said so.")
    ).to_be_visible()
    expect(about.get_by_role("region", name="Patients")).to_contain_text("Mia Castellano")
    page.get_by_role("link", name="Say whom it is about").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Whom is this session about?")
    page.get_by_role("checkbox", name="Ana Prado").check()
    page.get_by_text(re.compile("Only of .*some messages")).click()
    _picture(page, "about-session")
    _is_well_made(page)
    page.get_by_role("button", name=re.compile("Say so of (all|its)")).click()
    expect(page).to_have_url(session)
    expect(about.get_by_role("region", name="Patient", exact=True)).to_have_text(
        re.compile("Ana Prado")
    )
    _is_well_made(page)


def test_the_quarantine_tells_why(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Quarantine")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quarantine")
    _picture(page, "quarantine")
    _is_well_made(page)
    page.get_by_role("link", name=re.compile("207-555-0177")).first.click()
    expect(page.get_by_role("heading", name="Why it is held")).to_be_visible()
    expect(page.get_by_text("Or add the person to your people file")).to_be_visible()
    _picture(page, "held")
    _is_well_made(page)


def test_the_keyboard_reaches_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_signing_out(chrome: Browser, store: Path, base: str) -> None:
    command = [*THREADWELL, "sign-in", "--url", base, "--store", str(store)]
    link = stem.run(command).strip()
    page = chrome.new_page()
    page.goto(link)
    _picture(page, "door")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")
    answer = page.goto(base)
    assert answer
    assert answer.status == 401
    page.close()


def _is_well_made(page: Page) -> None:
    """Landmarks, one main heading, names for what is pressed, nothing wider than the window."""
    page.wait_for_load_state()
    for role in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)  # type: ignore[arg-type]
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.title().endswith("· Threadwell")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('a, button')].every(one => one.textContent.trim() "
        "|| one.querySelector('img[alt]'))"
    )
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.evaluate(SMALL) == []
    assert page.evaluate(CUT) == []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert page.evaluate(CONTRAST) == []


def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get("THREADWELL_SCREENSHOTS"):
        size = page.viewport_size
        width = "wide" if size and size["width"] == WIDE[0] else "phone"
        page.screenshot(path=Path(folder) / f"{name}-{width}.png")
