"""What goes wrong while people write: nothing that they typed is lost, and nothing goes twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from .desk import (
    WORDS,
    Practice,
    box_of,
    is_sent_once,
    send,
    sign_in,
    sign_out,
)
from .pages import is_sound, led_to

pytestmark = pytest.mark.browser


def test_a_sign_in_ends_while_somebody_writes(troubled: Practice, enter: Any) -> None:
    page = enter()
    box_of(page).fill(WORDS)
    sign_out(page.context, troubled)
    expect(page.locator("#news")).to_contain_text("You are signed out")
    is_sound(page)
    send(page)
    wrong = page.locator("form.reply").get_by_role("alert")
    expect(wrong).to_contain_text("You are signed out. What you have written is still here")
    expect(box_of(page)).to_have_value(WORDS)
    expect(box_of(page)).to_be_focused()
    is_sound(page)
    with page.context.expect_page() as opened:
        wrong.get_by_role("link", name="Sign in").press("Enter")
    other = opened.value
    expect(other.get_by_role("heading", level=1)).to_contain_text("Sign in")
    sign_in(other, troubled, troubled.doctor)
    other.close()
    page.bring_to_front()
    send(page)
    is_sent_once(page, troubled)
    expect(page.locator("#news")).to_be_empty()
    troubled.hear(2, "And the drops?")
    expect(page.locator(".message").last).to_contain_text("And the drops?")


def test_a_sign_in_ends_and_there_is_no_script(troubled: Practice, enter: Any) -> None:
    page = enter(script=False)
    box_of(page).fill(f"<b>{WORDS}</b>\nAnd rest.")
    sign_out(page.context, troubled)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in")
    expect(page.locator(".said")).to_have_text(f"<b>{WORDS}</b>\nAnd rest.")
    # Whoever signs in is led back to where they wrote.
    page.goto(troubled.link(troubled.doctor))
    page.get_by_role("button", name="Sign in").click()
    led_to(page, "Ana Prado")


def test_somebody_else_signs_in_in_another_tab(troubled: Practice, enter: Any) -> None:
    page = enter()
    box_of(page).fill(WORDS)
    other = page.context.new_page()
    sign_in(other, troubled, troubled.colleague)
    page.bring_to_front()
    send(page)
    wrong = page.locator("form.reply").get_by_role("alert")
    expect(wrong).to_contain_text("You are signed in as somebody else now")
    expect(box_of(page)).to_have_value(WORDS)
    assert troubled.said() == []
    # Nor do they find it in the tab.
    page.reload()
    led_to(page, "Ana Prado")
    expect(box_of(page)).to_have_value("")


def test_the_server_is_away_and_comes_back(troubled: Practice, enter: Any) -> None:
    page = enter()
    box_of(page).fill(WORDS)
    troubled.stop()
    expect(page.locator("#news")).to_contain_text("The server cannot be reached")
    is_sound(page)
    send(page)
    wrong = page.locator("form.reply").get_by_role("alert")
    expect(wrong).to_contain_text("The server cannot be reached")
    expect(box_of(page)).to_have_value(WORDS)
    is_sound(page)
    troubled.serve()
    troubled.hear(2, "And the drops?")
    expect(page.locator(".message").last).to_contain_text("And the drops?")
    expect(page.locator("#news")).not_to_contain_text("cannot be reached")
    expect(box_of(page)).to_have_value(WORDS)
    send(page)
    is_sent_once(page, troubled)


def test_a_proxy_answers_for_a_server_that_starts(troubled: Practice, enter: Any) -> None:
    """What is no stream ends a browser's own tries."""
    page = enter()
    box_of(page).fill(WORDS)
    troubled.line.away = True
    troubled.line.hang_up()
    expect(page.locator("#news")).to_contain_text("The server cannot be reached")
    send(page)
    wrong = page.locator("form.reply").get_by_role("alert")
    expect(wrong).to_contain_text("The server does not answer just now")
    troubled.hear(2, "And the drops?")
    troubled.line.away = False
    expect(page.locator(".message").last).to_contain_text("And the drops?")
    expect(page.locator("#news")).not_to_contain_text("cannot be reached")
    send(page)
    is_sent_once(page, troubled)


def test_a_page_that_could_not_be_shown_anew_is_shown_later(troubled: Practice, enter: Any) -> None:
    page = enter()
    troubled.line.deaf = (b"GET /sessions/",)
    troubled.hear(2, "And the drops?")
    expect(page.locator("#news")).to_be_empty()
    troubled.line.deaf = ()
    expect(page.locator(".message").last).to_contain_text("And the drops?")


def test_an_answer_is_lost_on_the_way(troubled: Practice, enter: Any) -> None:
    """It was sent, and nobody has said so: pressed again, it is the same reply."""
    page = enter()
    box_of(page).fill(WORDS)
    troubled.line.swallows = True
    send(page)
    wrong = page.locator("form.reply").get_by_role("alert")
    expect(wrong).to_contain_text("The server cannot be reached")
    expect(box_of(page)).to_have_value(WORDS)
    assert troubled.said() == [WORDS]
    troubled.line.swallows = False
    send(page)
    is_sent_once(page, troubled)


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_send_is_pressed_twice(troubled: Practice, enter: Any, script: bool) -> None:
    page = enter(script=script)
    box_of(page).fill(WORDS)
    page.get_by_role("button", name="Send", exact=True).dblclick()
    is_sent_once(page, troubled)
    # The same words are another reply when they are written again.
    box_of(page).fill(WORDS)
    send(page)
    expect(page.locator(".message.ours")).to_have_count(2)
    assert troubled.said() == [WORDS, WORDS]


def test_a_step_back_after_a_reply(troubled: Practice, enter: Any) -> None:
    page = enter()
    box_of(page).fill(WORDS)
    send(page)
    is_sent_once(page, troubled)
    page.reload()
    expect(page.locator(".message.ours")).to_have_count(1)
    expect(box_of(page)).to_have_value("")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?status=open$"))
    led_to(page, "Sessions")
    page.go_forward()
    led_to(page, "Ana Prado")
    expect(box_of(page)).to_have_value("")
    # The list as it was left is still what a link leads back to.
    page.get_by_role("link", name="← Sessions").click()
    expect(page).to_have_url(re.compile(r"/\?status=open$"))
    assert troubled.said() == [WORDS]


def test_what_is_not_sent_is_there_again(troubled: Practice, enter: Any) -> None:
    page = enter()
    box_of(page).fill(WORDS)
    page.reload()
    expect(box_of(page)).to_have_value(WORDS)
    page.get_by_role("link", name="Who takes part").first.click()
    led_to(page, "Text message")
    page.go_back()
    led_to(page, "Ana Prado")
    expect(box_of(page)).to_have_value(WORDS)
    # Whoever closes the tab is asked.
    asked: list[str] = []
    page.on("dialog", lambda one: (asked.append(one.type), one.dismiss()))
    box_of(page).press("End")
    page.close(run_before_unload=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]


def test_who_signs_out_leaves_nothing_in_the_tab(troubled: Practice, enter: Any) -> None:
    page = enter()
    box_of(page).fill(WORDS)
    page.get_by_role("button", name="Sign out").click()
    led_to(page, "Signed out")
    assert page.evaluate("sessionStorage.length") == 0
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in")
