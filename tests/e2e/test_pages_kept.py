"""What is typed and chosen on every page that acts stays: while the page is brought up to now, when
it is loaded again, and after a step back. Enter presses what the field belongs to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import threadwell

from .desk import WORDS, Practice, box_of, send, sign_out
from .pages import led_to

pytestmark = pytest.mark.browser


def _unfold(page: Page) -> Any:
    care = page.get_by_role("region", name="Waits for an answer")
    care.get_by_text("Give it to somebody").click()
    return care


def _left_and_back(page: Page) -> None:
    """Elsewhere, and a step back."""
    page.goto("/quarantine?dismissed=1")
    led_to(page, "Quarantine")
    page.go_back()
    page.wait_for_load_state()


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_enter_in_a_reason_presses_no_button(troubled: Practice, enter: Any, script: bool) -> None:
    page = enter(script=script)
    care = _unfold(page)
    to, why = care.get_by_label("To"), care.get_by_label("Why")
    to.select_option(label="Omar Lund")
    why.fill("She asks for you")
    why.press("Enter")
    if script:
        # It goes on to the buttons that it may belong to, and the next one presses.
        expect(care.get_by_role("button", name="Give it to them")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(care).to_have_count(0)
    else:
        page.wait_for_timeout(500)
        expect(why).to_have_value("She asks for you")
        expect(care).to_contain_text("Nobody takes care of it yet.")
    with threadwell.open(troubled.store) as tw:
        (task,) = tw.search_resources("Task", "code=respond")
    assert "owner" not in task
    assert task["status"] == ("completed" if script else "requested")


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_enter_in_the_choice_of_a_saved_reply_sends_nothing(
    troubled: Practice, enter: Any, script: bool
) -> None:
    with threadwell.open(troubled.store) as tw:
        tw.save_reply("signed", "Yours, {{sender.name}}", title="Signed")
    page = enter(script=script)
    box_of(page).fill(WORDS)
    choice = page.get_by_label("Saved reply")
    choice.select_option(label="Signed")
    choice.press("Enter")
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    assert troubled.said() == []
    expect(box_of(page)).to_have_value(WORDS)
    # What the server puts in holds, and not what was typed before it.
    page.get_by_role("button", name="Put it in").click()
    expect(box_of(page)).to_have_value(re.compile(f"{WORDS}\\s+Yours, Miriam"))


def test_a_reason_stays_while_the_page_is_brought_up_to_now(troubled: Practice, enter: Any) -> None:
    page = enter()
    care = _unfold(page)
    to, why = care.get_by_label("To"), care.get_by_label("Why")
    to.select_option(label="Omar Lund")
    why.fill("She asks for you")
    closing = page.get_by_role("region", name="What to do").get_by_label("Why")
    closing.fill("All is said")
    troubled.hear(2, "And the drops?")
    expect(page.locator(".message").last).to_contain_text("And the drops?")
    expect(why).to_have_value("She asks for you")
    expect(closing).to_be_focused()
    for again in (page.reload, lambda: _left_and_back(page)):
        again()
        expect(closing).to_have_value("All is said")
        expect(closing).to_be_focused()
        expect(why).to_be_visible()
        expect(why).to_have_value("She asks for you")
        expect(to.locator("option:checked")).to_have_text("Omar Lund")
    # What was said is not there any more, and what was not stays.
    page.get_by_role("button", name="Close the session").click()
    expect(page.get_by_role("button", name="Open it again")).to_be_visible()
    expect(page.get_by_role("region", name="What to do").get_by_label("Why")).to_have_value("")


def test_an_answer_to_a_question_stays(troubled: Practice, enter: Any) -> None:
    page = enter()
    page.goto("/reviews")
    page.get_by_role("link", name=re.compile("Castellano or")).first.click()
    led_to(page, "Whom is this session about?")
    leo = page.get_by_role("checkbox", name=re.compile("Leo Castellano"))
    leo.press("Space")
    for again in (page.reload, lambda: _left_and_back(page)):
        again()
        expect(leo).to_be_checked()
        expect(leo).to_be_focused()
    leo.press("Enter")
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Leo Castellano")


def test_whose_address_it_is_stays(troubled: Practice, enter: Any) -> None:
    page = enter()
    page.goto("/quarantine")
    page.get_by_role("link", name=re.compile("207-555-0177")).first.click()
    page.get_by_role("link", name="Say whose address it is").click()
    led_to(page, re.compile("207-555-0177"))
    new = page.get_by_role("group", name="A new patient")
    new.get_by_label("Given name").fill("Dana")
    new.get_by_label("Born").fill("1990-05-04")
    for again in (page.reload, lambda: _left_and_back(page)):
        again()
        expect(new.get_by_label("Given name")).to_have_value("Dana")
        expect(new.get_by_label("Born")).to_have_value("1990-05-04")
    # It is there beside those who are found, too.
    page.get_by_role("searchbox").fill("Leo")
    page.keyboard.press("Enter")
    found = page.get_by_role("checkbox", name=re.compile("Leo Castellano Patient"))
    expect(found).to_be_visible()
    expect(new.get_by_label("Given name")).to_have_value("Dana")
    new.get_by_label("Given name").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("place now")


def test_what_is_ticked_in_the_quarantine_stays(troubled: Practice, enter: Any) -> None:
    page = enter()
    page.goto("/quarantine")
    led_to(page, "Quarantine")
    box = page.get_by_role("main").get_by_role("checkbox").nth(1)
    box.check()
    box.press("Enter")
    page.reload()
    expect(box).to_be_checked()
    expect(page.get_by_role("main").get_by_role("status")).to_have_count(0)


def test_a_split_stays(troubled: Practice, enter: Any) -> None:
    with threadwell.open(troubled.store) as tw:
        session = next(one for one in tw.sessions() if len(one.names) == 2)
    page = enter()
    page.goto(f"/sessions/{session.id}/split")
    led_to(page, "Split by patient")
    page.locator(".cut").first.get_by_role("checkbox").first.focus()
    page.keyboard.press("0")
    both = page.locator(".cut").first.locator(":checked")
    expect(both).to_have_count(2)
    share = page.locator(".share").first
    number = share.locator(".number").inner_text()
    reason = share.get_by_label("Reason")
    reason.fill("Sleeps through")
    for again in (page.reload, lambda: _left_and_back(page)):
        again()
        expect(both).to_have_count(2)
        expect(share.locator(".number")).to_have_text(number)
        expect(reason).to_have_value("Sleeps through")
        expect(reason).to_be_focused()
    reason.press("Enter")
    expect(page).to_have_url(re.compile(rf"/sessions/{session.id}$"))
    expect(page.get_by_role("region", name="Medical encounters")).to_contain_text("Sleeps through")


def test_a_large_form_of_who_is_signed_out_is_not_lost_in_silence(
    troubled: Practice, enter: Any, tmp_path: Path
) -> None:
    page = enter(script=False)
    large = tmp_path / "scan.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2_000_000))
    box_of(page).fill(WORDS)
    page.locator("form.reply input[type=file]").set_input_files(large)
    sign_out(page.context, troubled)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in")
    expect(page.get_by_role("alert")).to_contain_text("only its beginning was read")
    expect(page.locator(".said")).to_have_text(WORDS)
    # Once they are signed in again, a step back leads to the form, with what is written.
    other = page.context.new_page()
    other.goto(troubled.link(troubled.doctor))
    other.get_by_role("button", name="Sign in").click()
    led_to(other, "Ana Prado")
    page.go_back()
    led_to(page, "Ana Prado")
    expect(box_of(page)).to_have_value(WORDS)
