"""Held messages on the pages, written to the store as an import writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.intake.held.hold import holding
from threadwell.intake.people.route import Held
from threadwell.messages import Address, AddressKind, Broken, Message

STRANGER = Address(AddressKind.PHONE, "+12075550177", "Dana")
PRACTICE = Address(AddressKind.PHONE, "+12075550100")


def stranger(reason: str = "unknown-sender") -> Held:
    message = Message(
        channel="sms_backup",
        external_id="7",
        sender=STRANGER,
        recipients=(PRACTICE,),
        sent=datetime(2024, 3, 12, 11, 58, tzinfo=UTC),
        text="Is the <doctor> in today?",
        new_text="Is the <doctor> in today?",
    )
    return Held(message, reason, (STRANGER,))


def broken(content: bytes) -> Broken:
    return Broken("email", "inbox.mbox, message 17", "it has no date", content, "message/rfc822")


@pytest.fixture
def hold(put: Callable[..., None]) -> Callable[[Any], str]:
    """Hold something; the id of its page."""

    def hold(item: Any) -> str:
        held = holding(item)
        put({**held.task, "id": held.task_id})
        put({**held.binary, "id": held.binary_id}, content=held.content)
        return held.task_id

    return hold


def test_the_list_tells_who_and_why(hold: Any, browser: Any) -> None:
    ids = [hold(stranger()), hold(broken(b"From: x"))]
    page = browser.get("/quarantine").text
    assert all(f'href="/quarantine/{id_}"' in page for id_ in ids)
    assert "+1 207-555-0177" in page
    assert "inbox.mbox, message 17: it has no date" in page
    assert '<span class="count">2' in page


def test_a_held_message_is_shown_whole(hold: Any, browser: Any, keep_zone: Any) -> None:
    keep_zone("America/New_York")
    page = browser.get(f"/quarantine/{hold(stranger())}").text
    for words in (
        "Is the &lt;doctor&gt; in today?",
        "Dana (+1 207-555-0177)",
        "Mar 12, 2024, 7:58 AM",
        "Nobody is known to have the address that it came from.",
        "Say whose address it is",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"From: x\n\n<b>hi</b>", "From: x\n\n&lt;b&gt;hi&lt;/b&gt;"),
        (b"caf\xe9", "caf\ufffd"),
        (b"\x89PNG\x00\x01", "no text to show"),
        (b"", "no text to show"),
        (b"x" * 30_000, "The first part is shown"),
    ],
)
def test_what_could_not_be_read_is_shown_as_it_came(
    hold: Any, browser: Any, content: bytes, shown: str
) -> None:
    page = browser.get(f"/quarantine/{hold(broken(content))}").text
    assert shown in page
    assert f"{len(content):,} byte" in page


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_what_is_no_longer_held_is_gone(
    put: Callable[..., None], browser: Any, status: str
) -> None:
    held = holding(stranger())
    put({**held.task, "id": held.task_id, "status": status})
    assert held.task_id not in browser.get("/quarantine").text
    shown = browser.get(f"/quarantine/{held.task_id}")
    assert shown.status_code == (200 if status == "cancelled" else 404)
    assert ("Hold it again" in shown.text) is (status == "cancelled")


def test_any_other_task_is_no_held_message(put: Callable[..., None], browser: Any) -> None:
    put({"resourceType": "Task", "id": "other", "status": "requested", "intent": "order"})
    assert browser.get("/quarantine/other").status_code == 404
