"""How many threads wait stands on the tabs of the list and in the browser's tab, and is right."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

import threadwell

from .desk import Practice
from .pages import is_sound, led_to

pytestmark = pytest.mark.browser

HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_what_waits_is_counted(troubled: Practice, enter: Any) -> None:
    page = enter()
    page.clock.install()
    page.goto("/")
    expect(page).to_have_title("(1) Sessions · Threadwell")
    mine = page.locator('.tabs a[href="/?waiting=mine"]')
    nobodys = page.locator('.tabs a[href="/?waiting=nobodys"]')
    expect(nobodys).to_have_text(re.compile(r"^\s*Nobody’s\s+1 waiting$"))
    expect(mine).to_have_text("Mine")
    is_sound(page)
    with threadwell.open(troubled.store) as tw:
        (todo,) = tw.search_resources("Task", "code=respond")
        tw.claim(f"Task/{todo['id']}", troubled.doctor)
    expect(mine).to_have_text(re.compile(r"^\s*Mine\s+1 waiting$"))
    expect(nobodys).to_have_text("Nobody’s")
    expect(page).to_have_title("(1) Sessions · Threadwell")
    # A tab that nobody looks at still tells.
    page.evaluate(HIDE, True)
    with threadwell.open(troubled.store) as tw:
        tw.dismiss(f"Task/{todo['id']}", why="A thank you")
    page.clock.fast_forward(31_000)
    expect(page).to_have_title("Sessions · Threadwell")
    expect(mine).to_have_text(re.compile(r"^\s*Mine\s+1 waiting$"))
    page.evaluate(HIDE, False)
    expect(mine).to_have_text("Mine")


def test_questions_are_counted(troubled: Practice, enter: Any) -> None:
    page = enter()
    with threadwell.open(troubled.store) as tw:
        number = len(tw.reviews())
    page.goto("/reviews")
    expect(page).to_have_title(f"({number}) To review · Threadwell")
    page.get_by_role("link", name=re.compile("Castellano or")).first.click()
    page.get_by_role("checkbox", name=re.compile("Leo Castellano")).check()
    other = page.context.new_page()
    other.goto("/reviews")
    expect(other).to_have_title(f"({number}) To review · Threadwell")
    page.get_by_role("button", name="Say so", exact=True).click()
    expect(other).to_have_title(f"({number - 1}) To review · Threadwell")


def test_a_question_is_answered_with_three_keys(troubled: Practice, enter: Any) -> None:
    page = enter()
    page.goto("/reviews")
    page.get_by_role("link", name=re.compile("Castellano or")).first.click()
    led_to(page, "Whom is this session about?")
    first = page.url
    for key in ("r", "Space", "Control+Enter"):
        page.keyboard.press(key)
    expect(page).not_to_have_url(first)
    led_to(page, "Whom is this session about?")
    with threadwell.open(troubled.store) as tw:
        left = len(tw.reviews())
    for key in ("r", "Space", "Enter"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"/sessions/[0-9a-f-]{36}$"))
    with threadwell.open(troubled.store) as tw:
        assert len(tw.reviews()) == left - 1


def test_a_session_is_split_with_one_key_a_message(troubled: Practice, enter: Any) -> None:
    with threadwell.open(troubled.store) as tw:
        session = next(one for one in tw.sessions() if len(one.names) == 2)
    page = enter()
    page.goto(f"/sessions/{session.id}")
    page.wait_for_load_state()
    page.keyboard.press("s")
    led_to(page, "Split by patient")
    page.keyboard.press("r")
    number = page.locator(".cut").count()
    for _ in range(number):
        page.keyboard.press("0")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/sessions/{session.id}$"))
    with threadwell.open(troubled.store) as tw:
        care = tw.search_resources("Encounter", f"part-of=Encounter/{session.id}")
    assert len(care) == 2
