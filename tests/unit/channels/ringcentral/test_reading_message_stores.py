"""Records of RingCentral's message store in, messages out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import channels
from threadwell.channels import ReadOptions
from threadwell.channels.ringcentral import CHANNEL
from threadwell.messages import Address, AddressKind, Attachment, Broken, Message, gaps

CLINIC = Address(AddressKind.PHONE, "+12075550100", "Harbour Lane")
ANA = Address(AddressKind.PHONE, "+12075550111", "ANA PRADO")
BASE = "https://platform.example.com/restapi/v1.0/account/22/extension/33/message-store"
Read = Callable[..., list[Message | Broken]]


def party(address: Address, **more: Any) -> dict[str, Any]:
    return {"phoneNumber": address.value, "name": address.display, **more}


def record(number: int = 1, **changed: Any) -> dict[str, Any]:
    id_ = 9_007_199_254_740_992 + number
    return {
        "uri": f"{BASE}/{id_}",
        "id": id_,
        "to": [party(CLINIC)],
        "from": party(ANA, location="Portland, ME"),
        "type": "SMS",
        "creationTime": f"2026-03-02T14:3{number}:05.250Z",
        "lastModifiedTime": "2026-03-02T15:00:00.000Z",
        "readStatus": "Read",
        "priority": "Normal",
        "attachments": [{"id": id_, "type": "Text", "contentType": "text/plain"}],
        "direction": "Inbound",
        "availability": "Alive",
        "subject": f"My cough is back, {number}",
        "messageStatus": "Received",
        "conversationId": 5_550_001,
        "conversation": {"id": "5550001", "uri": "https://platform.example.com/c/5550001"},
    } | changed


SENT = {
    "direction": "Outbound",
    "from": party(CLINIC),
    "to": [party(ANA)],
    "messageStatus": "Delivered",
}
PAGE = {
    "uri": f"{BASE}?page=1",
    "records": [record(1), record(2, **SENT), record(3)],
    "paging": {"page": 1, "totalPages": 1},
    "navigation": {"firstPage": {"uri": f"{BASE}?page=1"}},
}
FORMS = {
    "a page": json.dumps(PAGE),
    "a page, indented": json.dumps(PAGE, indent=2),
    "an array": json.dumps(PAGE["records"]),
    "lines": "".join(json.dumps(one) + "\n" for one in PAGE["records"]),  # type: ignore[attr-defined]
    "two pages": json.dumps(PAGE | {"records": [record(1)]})
    + json.dumps(PAGE | {"records": [record(2, **SENT), record(3)]}),
}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(content: str) -> list[Message | Broken]:
        path = tmp_path / "store.json"
        path.write_text(content)
        return list(CHANNEL.read(path, ReadOptions(None)))

    return read


def one(read: Read, **changed: Any) -> Message | Broken:
    (item,) = read(json.dumps([record(1, **changed)]))
    return item


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_messages(read: Read, content: str) -> None:
    known = [one.name for one in channels() if one.sniff(content.encode()[:16384], Path("any"))]
    assert known[:1] == ["ringcentral"]
    first = Message(
        channel="ringcentral",
        external_id="9007199254740993",
        sender=ANA,
        recipients=(CLINIC,),
        sent=datetime(2026, 3, 2, 14, 31, 5, 250_000, tzinfo=UTC),
        text="My cough is back, 1",
        new_text="My cough is back, 1",
        thread_hint="5550001",
        medium="SMSWRIT",
        ours=(CLINIC,),
    )
    messages = read(content)
    assert messages[0] == first
    assert isinstance(messages[1], Message)
    assert messages[1] == replace(
        first,
        external_id="9007199254740994",
        sender=CLINIC,
        recipients=(ANA,),
        sent=messages[1].sent,
        text="My cough is back, 2",
        new_text="My cough is back, 2",
    )
    assert len(messages) == 3


@pytest.mark.parametrize(
    ("changed", "notes"),
    [
        ({**SENT, "messageStatus": "DeliveryFailed"},
         ["it was not delivered, and nobody has received it (RingCentral)"]),
        ({**SENT, "messageStatus": "SendingFailed"},
         ["it could not be sent, and nobody has received it (RingCentral)"]),
        ({"availability": "Deleted"}, ["it had been deleted when the export was made"]),
        ({"availability": "Purged", "subject": None, "attachments": []},
         ["it had been deleted when the export was made", gaps.NO_WORDS]),
    ],
)  # fmt: skip
def test_what_a_record_says_of_its_fate_stays(
    read: Read, changed: dict[str, Any], notes: list[str]
) -> None:
    message = one(read, **changed)
    assert isinstance(message, Message)
    assert [*message.notes] == notes


@pytest.mark.parametrize(
    ("changed", "medium", "file"),
    [
        ({"type": "Fax", "subject": None,
          "attachments": [{"type": "RenderedDocument", "contentType": "application/pdf"}]},
         "FAXWRIT", ("file-1", "application/pdf")),
        ({"type": "VoiceMail", "subject": None, "attachments": [
            {"type": "AudioRecording", "contentType": "audio/mpeg", "fileName": "vm.mp3"}]},
         "PHONE", ("vm.mp3", "audio/mpeg")),
        ({"attachments": [{"type": "Text", "contentType": "text/plain"},
                          {"type": "MmsAttachment", "contentType": "image/jpeg"}]},
         "MMSWRIT", ("file-2", "image/jpeg")),
    ],
)  # fmt: skip
def test_files_are_named(
    read: Read, changed: dict[str, Any], medium: str, file: tuple[str, str]
) -> None:
    message = one(read, **changed)
    assert isinstance(message, Message)
    assert message.medium == medium
    note = "is not in the export of the message store"
    assert message.attachments == (Attachment(*file, None, note),)


def test_of_a_group_the_marked_recipient_is_the_practice(read: Read) -> None:
    ben = Address(AddressKind.PHONE, "+12075550122", "Ben")
    message = one(read, to=[party(CLINIC, target=True), party(ben)])
    assert isinstance(message, Message)
    assert message.recipients == (CLINIC, ben)
    assert message.ours == (CLINIC,)


def test_an_extension_without_a_number_is_an_address_of_its_own(read: Read) -> None:
    message = one(read, to=[{"extensionNumber": "101", "name": "Front desk"}])
    assert isinstance(message, Message)
    desk = Address(AddressKind.OTHER, "ringcentral:101", "Front desk")
    assert (message.recipients, message.ours) == ((desk,), (desk,))


@pytest.mark.parametrize(
    ("changed", "reason", "set_aside"),
    [
        ({"type": "Pager"}, "a message between extensions: nobody outside took part", True),
        ({**SENT, "messageStatus": "Queued"},
         "it was not sent yet when the export was made", True),
        ({"type": "Call"}, "a record of a kind that is not known", False),
        ({"id": 4.5e18}, "an id in it is a number that has lost digits", False),
        ({"conversation": {"id": 1e17}}, "an id in it is a number that has lost digits", False),
        ({"id": None}, "it has no id", False),
        ({"creationTime": "2026-03-02 14:30:05"}, "no date and time that can be read", False),
        ({"from": {"name": "Anonymous"}}, "it does not say who wrote to whom", False),
        ({"to": []}, "it does not say who wrote to whom", False),
    ],
)  # fmt: skip
def test_what_is_no_message_comes_back_with_the_reason(
    read: Read, changed: dict[str, Any], reason: str, set_aside: bool
) -> None:
    broken = one(read, **changed)
    assert isinstance(broken, Broken)
    assert (broken.reason, broken.set_aside) == (reason, set_aside)
    assert broken.source == "store.json, record 1 (byte 1)"


def test_a_page_that_breaks_off_costs_its_last_record(read: Read) -> None:
    content = json.dumps(PAGE["records"])
    kinds = [type(one) for one in read(content[:-30])]
    assert kinds == [Message, Message, Broken]


@pytest.mark.parametrize(
    "content",
    [
        b'{"records": [{"uri": ".../call-log/1", "startTime": "x"}]}',
        b"[]",
        b"",
        b"uri,creationTime\n",
    ],
)
def test_other_files_are_not_taken(content: bytes) -> None:
    assert not CHANNEL.sniff(content, Path("any"))
