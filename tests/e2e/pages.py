"""What the tests of the pages share."""

from __future__ import annotations

from re import Pattern

from playwright.sync_api import Page, expect


def led_to(page: Page, heading: str | Pattern[str]) -> None:
    """Wait until the page of that heading stands whole.

    A click or a key that leads to a page returns before it is there. What is read at once (a count,
    an address, a text, a style) would be the page before, or a half of the new one.
    """
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.wait_for_load_state()
