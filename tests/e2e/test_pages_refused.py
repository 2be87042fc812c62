"""What is refused stays as it was written, and says why; what others change takes no focus away."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import threadwell

from .desk import (
    WORDS,
    Practice,
    box_of,
    is_sent_once,
    send,
)
from .pages import is_sound, led_to, write_into

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_somebody_has_closed_it_first(troubled: Practice, enter: Any, script: bool) -> None:
    page = enter(script=script)
    # Nothing tells this page what others do.
    troubled.line.deaf = (b"GET /news",)
    troubled.line.hang_up()
    with threadwell.open(troubled.store) as tw:
        (todo,) = tw.waiting_threads()
        tw.claim(todo.task, troubled.colleague)
    page.get_by_role("button", name="Take care of it").click()
    expect(page.get_by_role("alert")).to_contain_text("Omar Lund")
    expect(page.get_by_role("region", name="Waits for an answer")).to_contain_text(
        "Omar Lund takes care of it."
    )
    if script:
        is_sound(page)
    # What is so already stays so, and nobody is told of a mistake.
    with threadwell.open(troubled.store) as tw:
        tw.close_session(f"Encounter/{troubled.session}")
    page.get_by_role("button", name="Close the session").click()
    expect(page.locator(".facts .pill")).to_have_text("Finished")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_a_policy_forbids_it(troubled: Practice, enter: Any, script: bool) -> None:
    page = enter(troubled.colleague, script=script)
    with threadwell.open(troubled.store) as tw:
        tw.set_policy("supervisor")
        tw.give_policy(troubled.colleague, "supervisor")
    box_of(page).fill(WORDS)
    send(page)
    if script:
        wrong = page.locator("form.reply").get_by_role("alert")
        expect(wrong).to_contain_text("That is not yours to do. Ask whoever runs Threadwell.")
        expect(box_of(page)).to_have_value(WORDS)
        is_sound(page)
    else:
        led_to(page, "That is not yours to do")
        expect(page.locator(".said")).to_have_text(WORDS)


def test_files_that_are_refused_need_not_be_chosen_again(
    troubled: Practice, enter: Any, tmp_path: Path
) -> None:
    page = enter()
    large = tmp_path / "plan.png"
    large.write_bytes(b"\x89PNG" + b"0" * 5_000_000)
    box_of(page).fill(WORDS)
    files = page.get_by_label("Up to 10 files")
    files.set_input_files(large)
    send(page)
    wrong = page.locator("form.reply").get_by_role("alert")
    expect(wrong).to_contain_text("more than 5 MB")
    expect(wrong).not_to_contain_text("again")
    assert files.evaluate("one => one.files[0].name") == "plan.png"
    # So is what the server itself does not read to its end.
    large.write_bytes(b"\x89PNG" + b"0" * 26_000_000)
    files.set_input_files(large)
    send(page)
    expect(wrong).to_contain_text("more than 25 MB")
    expect(box_of(page)).to_have_value(WORDS)
    files.set_input_files([])
    send(page)
    is_sent_once(page, troubled)


def test_the_focus_stays_when_others_change_what_has_it(troubled: Practice, enter: Any) -> None:
    page = enter()
    page.get_by_role("button", name="Close the session").focus()
    with threadwell.open(troubled.store) as tw:
        tw.close_session(f"Encounter/{troubled.session}")
    expect(page.get_by_role("button", name="Open it again")).to_be_visible()
    # Not on the button that does the contrary.
    place = "document.activeElement.closest('section')?.getAttribute('aria-labelledby')"
    page.wait_for_function(f"{place} === 'acts'")
    expect(page.get_by_role("button", name="Open it again")).not_to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('section') !== null")
    # A row that moves to the top keeps it.
    page.goto("/")
    row = page.locator(f'a.row[href^="/sessions/{troubled.session}"]')
    with threadwell.open(troubled.store) as tw:
        tw.reopen_session(f"Encounter/{troubled.session}")
    other = page.locator("a.row").nth(3)
    href = str(other.get_attribute("href"))
    other.focus()
    write_into(troubled.store, href.removeprefix("/sessions/").partition("#")[0], "Something new")
    expect(page.locator("a.row").first).to_have_attribute("href", re.compile(re.escape(href)))
    expect(page.locator("a.row").first).to_be_focused()
    expect(row).to_have_count(1)
