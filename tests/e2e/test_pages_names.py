"""The pages with names that are long, have no break, or are written from right to left."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import stem

from . import test_pages as pages
from .pages import led_to

UNBROKEN = "Wolfeschlegelsteinhausenbergerdorffsippenhaftungsverweigerer" * 2
PEOPLE = f"""kind,id,family,given,phone,email,chat,patient,relationship
organization,pine,Pine Street Practice {UNBROKEN},,+1 207-555-0140,desk@pine.example.org,,,
patient,long,{UNBROKEN},Ottoline;Wilhelmina;Alexandrina,+1 207-555-0141,,,,
patient,tariq,المنصوري,طارق,+1 207-555-0142,,,,
patient,ada,בן־עמי,עדה,,,,,
related-person,kin,{UNBROKEN},Ira,+1 207-555-0143,{"k" * 60}@mail.example.net,,ada;long,mother
"""
MESSAGES = f"""id,from,to,sent,text
1,+12075550141,+12075550140,2026-01-05T09:00:00Z,{"x" * 900}
2,+12075550140,+12075550141,2026-01-05T09:05:00Z,https://pine.example.org/{"a" * 300}
3,+12075550142,+12075550140,2026-01-06T09:00:00Z,"صباح الخير، عندي ألم في الظهر (L4/L5) منذ 3 أيام"
4,+12075550140,+12075550142,2026-01-06T09:05:00Z,Since when?
5,+12075550143,+12075550140,2026-01-07T09:00:00Z,Something is wrong
6,+12075550199,+12075550140,2026-01-08T09:00:00Z,{"y" * 900}
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    (folder / "people.csv").write_text(PEOPLE, "utf-8")
    (folder / "portal.csv").write_text(MESSAGES, "utf-8")
    who = ["--people", str(folder / "people.csv"), "--zone", "America/New_York"]
    command = [*pages.THREADWELL, "import", str(folder / "portal.csv"), *who]
    store = folder / "practice.db"
    stem.run([*command, "--store", str(store)])
    return store


@pytest.fixture(scope="module")
def link(store: Path) -> Iterator[str]:
    command = [*pages.THREADWELL, "serve", "--store", str(store), "--port", "0"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield next(found[0] for line in process.stdout if (found := _LINK.search(line)))
        finally:
            process.terminate()


_LINK = re.compile(r"http\S+/sign-in/\S+")


def test_no_name_is_too_long_or_turned_round(
    chrome: Browser,
    link: str,
) -> None:
    context = chrome.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    base = link.partition("/sign-in/")[0]
    for width, height in (pages.WIDE, pages.PHONE):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(base)
        _is_well_made(page)
        assert page.locator(".row").count() == 3
        for path in [one.get_attribute("href") for one in page.locator(".row").all()]:
            page.goto(f"{base}{path}")
            _is_well_made(page)
            for patient in page.locator('.side a[href^="/patients/"]').all():
                shown = context.new_page()
                shown.set_viewport_size({"width": width, "height": height})
                shown.goto(f"{base}{patient.get_attribute('href')}")
                _is_well_made(shown)
                shown.close()
        for path in ("/quarantine", "/reviews"):
            page.goto(f"{base}{path}")
            _is_well_made(page)
            leads = page.locator(".row").first
            path = str(leads.get_attribute("href"))
            leads.click()
            expect(page).to_have_url(f"{base}{path}")
            _is_well_made(page)
        page.goto(base)
        page.get_by_role("searchbox").fill("طارق")
        page.get_by_role("button", name="Find").click()
        led_to(page, re.compile("طارق"))
        page.locator(".row").first.click()
        expect(page).to_have_url(pages.SESSION)
        page.wait_for_load_state()
        theirs = page.locator(".message:not(.ours) .text")
        expect(theirs).to_contain_text("صباح")
        # ``dir=auto``: what is written from the right begins there.
        assert theirs.evaluate("one => getComputedStyle(one).direction") == "rtl"
        ours = page.locator(".message.ours .text")
        assert ours.evaluate("one => getComputedStyle(one).direction") == "ltr"
    context.close()


def _is_well_made(page: Page) -> None:
    pages._is_well_made(page)
    outside = page.evaluate(
        """[...document.querySelectorAll('main *')]
            .filter(one => getComputedStyle(one).display !== 'inline')
            .filter(one => one.closest('.unseen, .avatar, .last') === null)
            .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
            .map(one => one.tagName + '.' + one.className)"""
    )
    assert outside == []
