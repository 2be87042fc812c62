"""Deliveries that could not be taken in, on the pages: seen, tried again, dropped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.intake.arrivals.journal import ARRIVED, entries, keep
from threadwell.intake.arrivals.stuck import move_aside, stuck_deliveries
from threadwell.stores.contract import DEFAULT_PROJECT


@pytest.fixture
def stuck(store: Any, run: Any) -> Any:
    """Two deliveries by an account whose channel cannot read them."""

    async def put() -> None:
        account = Account("front-desk", "twilio", (), {})
        for hour in (8, 9):
            at = datetime(2024, 3, 12, hour, tzinfo=UTC)
            delivery = Delivery("POST", ("http://a.example.org/",), {}, b"x" * hour, at)
            await keep(store, DEFAULT_PROJECT, account, delivery, frozenset())
        for one in await entries(store, DEFAULT_PROJECT, ARRIVED):
            await move_aside(store, DEFAULT_PROJECT, one, "no channel here reads it", 1)

    run(put())
    return store


def ids(page: str) -> list[str]:
    return re.findall(r'name="id" value="([^"]+)"', page)


def test_each_is_told_and_decided_about(stuck: Any, browser_as: Any, run: Any) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    page = browser.get("/deliveries").text
    first, second = ids(page)
    assert page.count("No channel here reads it.") == 2
    assert page.index("8 bytes") < page.index("9 bytes")
    answer = browser.post("/deliveries", id=first, act="replay")
    assert answer.headers["location"] == "/deliveries?done=replay"
    assert ids(browser.get("/deliveries?done=replay").text) == [second]
    assert len(run(entries(stuck, DEFAULT_PROJECT, ARRIVED))) == 1
    assert browser.post("/deliveries", id=second, act="drop").status_code == 303
    assert "Nothing is stuck" in browser.get("/deliveries").text
    assert run(stuck_deliveries(stuck, DEFAULT_PROJECT)) == []


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"id": "0" * 20, "act": "replay"}, 409, "No delivery 00000000000000000000 is stuck"),
        ({"id": "<b>", "act": "drop"}, 409, "No delivery &lt;b&gt; is stuck"),
        ({"act": "burn"}, 400, "Press one of the buttons"),
    ],
)
def test_what_cannot_be_done_is_said(
    stuck: Any, browser_as: Any, run: Any, form: dict[str, str], status: int, told: str
) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    answer = browser.post("/deliveries", **form)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert len(run(stuck_deliveries(stuck, DEFAULT_PROJECT))) == 2


def test_only_so_many_stand_on_the_page(
    stuck: Any, browser_as: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    monkeypatch.setattr("threadwell.inbox.deliveries._MOST", 1)
    page = browser.get("/deliveries").text
    assert len(ids(page)) == 1
    assert "1 more came later" in page
    browser.post("/deliveries", id=ids(page)[0], act="drop")
    page = browser.get("/deliveries").text
    assert (len(ids(page)), "more came later" in page) == (1, False)
