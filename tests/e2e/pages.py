"""What the tests of the pages share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from re import Pattern
from typing import Any

from playwright.sync_api import Page, expect

import threadwell

AXE = Path(__file__).parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
#: How a browser is started that asks nobody anything.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
#: What axe complains of: each rule with the elements that break it. To tell of what is right as
#: well, and how to find an element again, would take it as long again.
_COMPLAINTS = """async (rules) => (await axe.run(
        {...rules, resultTypes: ['violations'], selectors: false}
    )).violations.map(one => [one.id, ...one.nodes.map(node => node.html)])"""


def led_to(page: Page, heading: str | Pattern[str]) -> None:
    """Wait until the page of that heading stands whole.

    A click or a key that leads to a page returns before it is there. What is read at once (a count,
    an address, a text, a style) would be the page before, or a half of the new one.
    """
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.wait_for_load_state()


def complaints(page: Page, **rules: Any) -> list[list[str]]:
    """What axe finds on a page: each rule with the elements that break it.

    The page's own policy lets no script in from outside; evaluated ones are the browser's.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found: list[list[str]] = page.evaluate(_COMPLAINTS, rules)
    return found


def is_sound(page: Page) -> None:
    """Axe, where it is installed, finds nothing on the page."""
    if AXE.is_file():
        assert complaints(page) == []


def write_into(store: str | Path, session: str, text: str) -> None:
    """Have whoever opened the thread of a session write in it."""
    with threadwell.open(store) as tw:
        header = tw.search_resources("Communication", f"encounter=Encounter/{session}")[0]
        tw.create_resource(
            {
                "resourceType": "Communication",
                "status": "completed",
                "partOf": [{"reference": f"Communication/{header['id']}"}],
                "sender": header["sender"],
                "sent": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "payload": [{"contentString": text}],
            }
        )
