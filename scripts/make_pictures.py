"""Takes the pictures of the README anew: the sample practice as `make run` serves it, in Chromium.

A test of the pages cannot tell whether they still look as the pictures do: run this when they do
not, and look at what comes out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

import living
import toolbox

IMAGES = toolbox.ROOT / "docs" / "images"
_SIZE: ViewportSize = {"width": 1180, "height": 860}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_ANSWER = "Please rest and drink; come in tomorrow at 9:30 if it is not better."


def main() -> int:
    """Take them all."""
    chromium = toolbox.find_chromium()
    if chromium is None:
        print("there is no Chromium: `make test` installs it", file=sys.stderr)
        return 1
    with _practice() as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        page = browser.new_page(viewport=_SIZE, locale="en-US")
        page.goto(link)
        page.get_by_role("button").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
        _take(page, "inbox")
        page.get_by_role("link", name="Mia Castellano & Leo Castellano").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Leo")
        _take(page, "session")
        _answer(page)
        _take(page, "living")
        browser.close()
    return 0


def _answer(page: Page) -> None:
    """Answer the simulated patient, and wait for what it says to that."""
    page.goto(page.url.partition("/sessions/")[0])
    page.get_by_role("link", name=living.NAME).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(living.NAME)
    page.get_by_role("textbox", name="Reply by").fill(_ANSWER)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("I will be there.").first).to_be_visible(timeout=60_000)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state()
    page.screenshot(path=IMAGES / f"{name}.png")
    print(IMAGES / f"{name}.png")


@contextmanager
def _practice() -> Iterator[str]:
    """The sample practice, served in a folder of its own; the link that signs in."""
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "threadwell-sample.db")
        process = subprocess.Popen(
            [sys.executable, str(toolbox.ROOT / "scripts" / "run_sample.py"), "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "THREADWELL_STORE": store, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout
        try:
            link = ""
            for line in process.stdout:
                if found := re.search(r"http\S+/sign-in/\S+", line):
                    link = found[0]
                if "Ctrl-C" in line:
                    break
            yield link
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
