"""What somebody has not read begins behind a line, on the page and only while it is new."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from threadwell.intake import Settings, import_messages
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")


def test_a_line_stands_before_what_is_new(store: Any, put: Any, run: Any, browser_as: Any) -> None:
    telecom = [{"system": "phone", "value": ANA.value}]
    put({"resourceType": "Patient", "id": "ana", "name": [{"text": "Ana"}], "telecom": telecom})
    now = datetime.now(UTC)

    def write(*words: str, after: int) -> None:
        messages = [
            Message(
                *("twilio", text, ANA, (OFFICE,), now + timedelta(seconds=after + at)),
                *(text, text, ANA.value),
                medium="SMSWRIT",
            )
            for at, text in enumerate(words)
        ]
        # All of it is one session, on whichever day this runs.
        settings = Settings(owner=(OFFICE,), policy="per-thread")
        run(import_messages(Seat(store, DEFAULT_PROJECT, settings), messages))

    write("One", after=-60)
    dana = browser_as("dana", "Dana Ruiz")
    (path,) = re.findall(r'class="row[^"]*" href="(/sessions/[^"#?]+)', dana.get("/").text)
    assert 'class="fresh"' not in dana.get(path).text
    write("Two", "Three", after=60)
    assert 'class="row new"' in dana.get("/").text
    page = dana.get(path).text
    line, two = page.index('class="fresh"'), page.index(">Two<")
    assert page.index(">One<") < line < two
    assert "<span>2 new messages</span>" in page
    # Now they are read.
    assert 'class="fresh"' not in dana.get(path).text
    assert 'class="row new"' not in dana.get("/").text


def test_searches_that_have_expired_are_forgotten_some_at_a_time(
    practice: Any, browser: Any, run: Any
) -> None:
    def kept() -> list[str]:
        return list(run(practice.list_private("inbox-search")))

    browser.post("/find", **{"in": "messages", "name": "fever"})
    (one,) = kept()
    value = run(practice.get_private("inbox-search", one))
    old = value.replace(value[value.rindex(b":") + 1 : -1], b"1")
    for number in range(30):
        name = f"{DEFAULT_PROJECT}/{number:014d}-x"
        run(practice.put_private("inbox-search", name, old))
    browser.post("/find", **{"in": "messages", "name": "rash"})
    assert len(kept()) == 12
    browser.post("/find", **{"in": "messages", "name": "warm"})
    assert len(kept()) == 3
    assert one in kept()
