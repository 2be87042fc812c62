"""What has other words stays linked to what it said before, whatever becomes of the messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.unit.intake.conftest import Practice
from tests.unit.intake.test_shared_addresses import SHARED, question
from tests.unit.intake.test_wordings import record, reworded
from threadwell.intake import answer_review, correct_attribution, recut
from threadwell.messages import Attachment, Message

PHOTO = Attachment("knee.jpg", "image/jpeg", b"knee")

EXPECTED = {
    "take one": ("entered-in-error", "take one", False),
    "take two": ("entered-in-error", "take one", True),
    "take three": ("completed", "take two", True),
}


def worded(sms: Callable[..., Message]) -> tuple[Message, ...]:
    """A message from a phone that two have, and the words that it has had since."""
    first = sms("m:1", "09:00", "take one", phone=SHARED)
    return first, reworded(first, "take two", 1), reworded(first, "take three", 2)


@pytest.fixture
def spouses(practice: Practice) -> Practice:
    practice.patient("nia", SHARED, given="Nia")
    practice.patient("ole", SHARED, given="Ole")
    return practice


def say(practice: Practice, *persons: str, holds_for: str = "address", at: str = "") -> None:
    asked = at or question(practice)["id"]
    practice.run(answer_review(practice.seat(), asked, persons, holds_for=holds_for))


def child(practice: Practice, text: str) -> str:
    return next(
        f"Communication/{one['id']}"
        for one in practice.all("Communication")
        if one.get("payload", [{}])[0].get("contentString") == text
    )


def more(those: tuple[Message, ...], at: int) -> Message:
    return replace(those[at], attachments=(PHOTO,))


WAYS = {
    "said anew of the address": lambda p, those: say(p, "Patient/ole"),
    "said to be both": lambda p, those: say(p, "Patient/nia", "Patient/ole"),
    "said of the thread": lambda p, those: say(
        p, "Patient/ole", holds_for="thread", at=child(p, "take three")
    ),
    "completed, the first": lambda p, those: p.take(more(those, 0)),
    "completed, one between": lambda p, those: p.take(more(those, 1)),
    "completed, the last": lambda p, those: p.take(more(those, 2)),
    "completed, all at once": lambda p, those: p.take(*(more(those, at) for at in (2, 0, 1))),
    "said whom it is about": lambda p, those: p.run(
        correct_attribution(p.seat(), child(p, "take three"), ["Patient/nia"])
    ),
    "cut anew": lambda p, those: p.run(
        recut(replace(p.seat(), settings=replace(p.settings, scope="patient")))
    ),
    "read again": lambda p, those: p.take(*those),
}


@pytest.mark.parametrize("way", WAYS)
def test_wordings_stay_linked(spouses: Practice, sms: Callable[..., Message], way: str) -> None:
    those = worded(sms)
    spouses.take(*those)
    say(spouses, "Patient/nia")
    assert record(spouses) == EXPECTED
    WAYS[way](spouses, those)
    assert record(spouses) == EXPECTED
