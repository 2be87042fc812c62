"""How soon a message that one browser sends is seen in another one, in a real Chromium.

python -m bench pages                 30 messages
python -m bench pages --messages 100

Two people look at the same session. One replies, by the form of the page; what is measured is the
time from the click until the words stand on the other one's page, by the clock that both share.
Beside it stands the page alone: how long it takes to ask for it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import threadwell
import toolbox
from threadwell.app import open_store
from threadwell.intake import Settings, import_messages
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

_OFFICE, _ANA = "+12125550100", "+12125550111"
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
#: Notes on the page when a text that begins so stands there first.
_WATCH = """() => {
    window.seen = {};
    new MutationObserver(() => {
        for (const one of document.querySelectorAll(".bubble .text")) {
            window.seen[one.textContent] ??= Date.now();
        }
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
#: Clicks *Send*, and tells when.
_SEND = """() => {
    const at = Date.now();
    document.querySelector('form.reply button[value="reply"]').click();
    return at;
}"""
_LOAD = """async () => {
    const began = performance.now();
    await (await fetch(location.href)).text();
    return performance.now() - began;
}"""


def main(arguments: list[str]) -> None:
    """Print the figures; where there is no Chromium, say so."""
    parser = argparse.ArgumentParser(prog="bench pages")
    parser.add_argument("--messages", type=int, default=30)
    given = parser.parse_args(arguments)
    chromium = toolbox.find_chromium()
    if chromium is None:
        print("left out: no Chromium is here")
        return
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "pages.db")
        _practice(store)
        command = [sys.executable, "-m", "threadwell", "serve", "--store", store, "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                found = (re.search(r"(http\S+)/sign-in/", line) for line in process.stdout)
                base = next(one[1] for one in found if one)
                _measure(chromium, store, base, given.messages)
            finally:
                process.terminate()


def _practice(store: str) -> None:
    """A patient who has written by an account."""
    with threadwell.open(store) as tw:
        tw.create_resource({"resourceType": "Practitioner", "name": [{"text": "Dana Ruiz"}]})
        telecom = [{"system": "phone", "value": _ANA}]
        tw.create_resource(
            {"resourceType": "Patient", "name": [{"text": "Ana Cruz"}], "telecom": telecom}
        )
        secrets = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
        # Nothing is sent to anybody.
        api = {"api_url": "http://127.0.0.1:9"}
        tw.add_account("desk", "twilio", secrets | api, addresses=_OFFICE)
    asyncio.run(_write(store))


async def _write(store: str) -> None:
    ana, office = (Address(AddressKind.PHONE, one) for one in (_ANA, _OFFICE))
    now, words = datetime.now(UTC), "Shall I come in?"
    message = Message("twilio", "SM1", ana, (office,), now, words, words, _ANA, ours=(office,))
    opened = open_store(store)
    try:
        await import_messages(Seat(opened, DEFAULT_PROJECT, Settings(owner=(office,))), [message])
    finally:
        await opened.close()


def _measure(chromium: str, store: str, base: str, messages: int) -> None:
    from playwright.sync_api import sync_playwright

    with threadwell.open(store) as tw, sync_playwright() as playwright:
        (session,) = tw.sessions()
        (dana,) = tw.search_resources("Practitioner", "name=Dana")
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)

        def open_page() -> Any:
            page = browser.new_context(base_url=base).new_page()
            page.goto(tw.sign_in_link(base, who=f"Practitioner/{dana['id']}"))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_selector("ul.rows")
            page.goto(f"/sessions/{session.id}")
            return page

        writer, reader = open_page(), open_page()
        reader.evaluate(_WATCH)
        loads = [reader.evaluate(_LOAD) for _ in range(10)]
        took = []
        for number in range(messages):
            text = f"Answer {number}"
            writer.fill("form.reply textarea", text)
            with writer.expect_navigation():
                clicked = writer.evaluate(_SEND)
            reader.wait_for_function("text => window.seen[text]", arg=text, timeout=30_000)
            took.append(reader.evaluate("text => window.seen[text]", text) - clicked)
            time.sleep(0.2)
        browser.close()
    slow = quantiles(took, n=20)[-1]
    print(f"seen by another browser: median {median(took):.0f} ms, 95 % within {slow:.0f} ms,")
    print(
        f"  the slowest {max(took):.0f} ms; the page alone is asked for in {median(loads):.0f} ms"
    )
