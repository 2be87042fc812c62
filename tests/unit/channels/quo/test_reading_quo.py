"""Messages of Quo's API in, messages out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import channels
from threadwell.channels import ReadOptions
from threadwell.channels.quo import CHANNEL
from threadwell.messages import Address, AddressKind, Attachment, Broken, Message, gaps

CLINIC = Address(AddressKind.PHONE, "+12075550100")
ANA = Address(AddressKind.PHONE, "+12075550111")
BEN = Address(AddressKind.PHONE, "+12075550122")
Read = Callable[..., list[Message | Broken]]


def record(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"AC{number:032x}",
        "to": [CLINIC.value],
        "from": ANA.value,
        "text": f"My cough is back, {number}",
        "phoneNumberId": "PN7a7a",
        "conversationId": "CN5c5c",
        "direction": "incoming",
        "userId": "US1b1b",
        "status": "delivered",
        "createdAt": f"2026-03-02T14:3{number}:05.250Z",
        "updatedAt": "2026-03-02T15:00:00.000Z",
    } | changed


SENT = {"direction": "outgoing", "from": CLINIC.value, "to": [ANA.value]}
EVERY = [record(1), record(2, **SENT), record(3)]
FORMS = {
    "a page": json.dumps({"data": EVERY, "totalItems": 3, "nextPageToken": None}),
    "a page, indented": json.dumps({"data": EVERY, "nextCursor": "x"}, indent=2),
    "pages on lines": "".join(json.dumps({"data": [one]}) + "\n" for one in EVERY),
    "an array": json.dumps(EVERY),
    "one answer after the other": "".join(json.dumps({"data": one}) for one in EVERY),
    "events": "".join(
        json.dumps(
            {"object": "event", "id": "EV1", "data": {"object": one | {"object": "message"}}}
        )
        + "\n"
        for one in EVERY
    ),
}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(content: str) -> list[Message | Broken]:
        path = tmp_path / "quo.json"
        path.write_text(content)
        return list(CHANNEL.read(path, ReadOptions(None)))

    return read


def one(read: Read, **changed: Any) -> Message | Broken:
    (item,) = read(json.dumps([record(1, **changed)]))
    return item


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_messages(read: Read, content: str) -> None:
    known = [one.name for one in channels() if one.sniff(content.encode()[:16384], Path("any"))]
    assert known[:1] == ["quo"]
    first, second, third = read(content)
    assert first == Message(
        channel="quo",
        external_id=f"AC{1:032x}",
        sender=ANA,
        recipients=(CLINIC,),
        sent=datetime(2026, 3, 2, 14, 31, 5, 250_000, tzinfo=UTC),
        text="My cough is back, 1",
        new_text="My cough is back, 1",
        thread_hint="CN5c5c",
        medium="SMSWRIT",
        ours=(CLINIC,),
    )
    assert isinstance(second, Message)
    assert (second.sender, second.recipients, second.ours) == (CLINIC, (ANA,), (CLINIC,))
    assert second.notes == ("written by the user US1b1b of Quo",)
    assert isinstance(third, Message)


@pytest.mark.parametrize(
    ("changed", "notes"),
    [
        ({**SENT, "status": "undelivered", "userId": None},
         ["it was not delivered, and nobody has received it (Quo: undelivered)"]),
        ({"text": ""}, [gaps.NO_WORDS]),
        ({"status": "sent"}, []),
    ],
)  # fmt: skip
def test_what_a_record_says_of_its_fate_stays(
    read: Read, changed: dict[str, Any], notes: list[str]
) -> None:
    message = one(read, **changed)
    assert isinstance(message, Message)
    assert [*message.notes] == notes


def test_files_are_named(read: Read) -> None:
    media = [{"url": "https://media.example.com/1.png", "type": "image/png"}]
    message = one(read, text="", media=media)
    assert isinstance(message, Message)
    note = "is not in the export: Quo keeps it behind a link"
    assert message.attachments == (Attachment("media-1", "image/png", None, note),)
    assert (message.medium, message.notes) == ("MMSWRIT", ())


def test_of_a_group_nobody_is_taken_for_the_practice(read: Read) -> None:
    message = one(read, to=[CLINIC.value, BEN.value])
    assert isinstance(message, Message)
    assert (message.recipients, message.ours) == ((CLINIC, BEN), ())


@pytest.mark.parametrize(
    ("changed", "reason", "set_aside"),
    [
        ({"object": "call"}, "a call", True),
        ({"status": "queued"}, "it was not sent yet when the export was made", True),
        ({"id": "4711"}, "its id is not that of a message of Quo", False),
        ({"direction": ""}, "nothing says who wrote it: there is no direction", False),
        ({"createdAt": "yesterday"}, "no date and time that can be read", False),
        ({"createdAt": "2026-03-02T14:30:05"}, "no date and time that can be read", False),
        ({"from": ""}, "it does not say who wrote to whom", False),
        ({"to": None}, "it does not say who wrote to whom", False),
    ],
)
def test_what_is_no_message_comes_back_with_the_reason(
    read: Read, changed: dict[str, Any], reason: str, set_aside: bool
) -> None:
    broken = one(read, **changed)
    assert isinstance(broken, Broken)
    assert (broken.reason, broken.set_aside) == (reason, set_aside)


@pytest.mark.parametrize(
    "content",
    [
        b'{"data": [{"id": "PN1", "number": "+12075550100"}]}',
        b"[]",
        b"",
        b'{"direction": "incoming"}',
    ],
)
def test_other_files_are_not_taken(content: bytes) -> None:
    assert not CHANNEL.sniff(content, Path("any"))
