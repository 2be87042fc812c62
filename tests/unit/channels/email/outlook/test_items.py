"""Single items of Outlook."""

from __future__ import annotations

import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from compressed_rtf import compress

from tests.unit.channels.email.outlook_items import Item, written
from threadwell.channels import ReadOptions, read_path
from threadwell.channels.email import CHANNEL
from threadwell.channels.email.state import DRAFT
from threadwell.messages import Broken, Message

OPTIONS = ReadOptions(ZoneInfo("America/New_York"))
SENT = datetime(2026, 3, 2, 14, 30, 5, tzinfo=UTC)
CLASS, FLAGS, HEADERS, SUBJECT = 0x001A, 0x0E07, 0x007D, 0x0037
MESSAGE_ID, IN_REPLY_TO, SUBMITTED = 0x1035, 0x1042, 0x0039
TEXT, RICH_TEXT, HTML, HTML_CODE_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
SENDER_TYPE, SENDER, SENDER_SMTP, SENDER_NAME = 0x0C1E, 0x0C1F, 0x5D01, 0x0C1A
AUTHOR_SMTP, AUTHOR_NAME = 0x5D02, 0x0042
KIND, NAME, ADDRESS, ADDRESS_TYPE, SMTP = 0x0C15, 0x3001, 0x3003, 0x3002, 0x39FE
DATA, LONG_NAME, TYPE, CONTENT_ID, METHOD, PLACE = 0x3701, 0x3707, 0x370E, 0x3712, 0x3705, 0x370D
CARE = {KIND: 1, NAME: "Care", ADDRESS: "care@clinic.example"}
EXCHANGE = "/o=ExchangeLabs/ou=Group/cn=Recipients/cn=ana"


def mail() -> dict[int, object]:
    """The properties of a usual mail."""
    return {
        CLASS: "IPM.Note",
        SUBJECT: "Refill",
        TEXT: "May I have a refill?\r\n",
        SUBMITTED: SENT,
        SENDER_TYPE: "SMTP",
        SENDER: "ana@family.example",
        SENDER_NAME: "Ana",
        MESSAGE_ID: "<one@family.example>",
    }


def read_one(folder: Path, item: Item | bytes, name: str = "one.msg") -> Message | Broken:
    """What the channel makes of one file."""
    path = folder / name
    path.write_bytes(item if isinstance(item, bytes) else written(item))
    (found,) = read_path(path, options=OPTIONS, channels=[CHANNEL])
    return found


def message(folder: Path, item: Item) -> Message:
    """The message that an item is."""
    found = read_one(folder, item)
    assert isinstance(found, Message), found
    return found


def test_a_mail_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    properties = mail() | {IN_REPLY_TO: "<zero@clinic.example>"}
    copied = {KIND: 2, NAME: "Ben", ADDRESS: "ben@clinic.example"}
    found = message(tmp_path, Item(properties, [CARE, copied]))
    assert found.external_id == "one@family.example"
    assert found.in_reply_to == "zero@clinic.example"
    assert found.sender.value == "ana@family.example"
    assert [one.value for one in found.recipients] == ["care@clinic.example", "ben@clinic.example"]
    assert (found.sent, found.subject, found.text) == (SENT, "Refill", "May I have a refill?")
    assert not found.attachments
    assert not found.notes


def test_the_header_that_a_mail_came_with_counts(tmp_path: Path) -> None:
    header = (
        "Received: from mx.family.example; Mon, 2 Mar 2026 09:31:00 -0500\r\n"
        'From: "Ana P." <ana@family.example>\r\nTo: care@clinic.example,\r\n'
        " care2@clinic.example\r\n"
        "Date: Mon, 2 Mar 2026 09:30:05 -0500\r\nMessage-ID: <kept@family.example>\r\n"
        'Content-Type: multipart/mixed; boundary="x"\r\nMIME-Version: 1.0\r\n'
    )
    properties = mail() | {HEADERS: header}
    del properties[MESSAGE_ID]
    found = message(tmp_path, Item(properties, [CARE]))
    assert found.external_id == "kept@family.example"
    assert len(found.recipients) == 2
    assert found.sent == SENT
    assert found.received is not None
    assert found.text == "May I have a refill?"


@pytest.mark.parametrize(
    ("code_page", "text"),
    [
        (1252, "Grüße — Zoë"),
        (1251, "Привет, доктор"),
        (932, "お薬をお願いします"),
        (1, "Grüße, 5 €"),
    ],
)
def test_old_items_are_in_the_code_page_that_they_name(
    tmp_path: Path, code_page: int, text: str
) -> None:
    properties = mail() | {SUBJECT: text, TEXT: text}
    found = message(tmp_path, Item(properties, [CARE], ansi=code_page))
    assert (found.subject, found.text) == (text, text)


@pytest.mark.parametrize(
    ("properties", "sender"),
    [
        ({SENDER_TYPE: "EX", SENDER: EXCHANGE, SENDER_SMTP: "ana@clinic.example"}, "ana"),
        ({AUTHOR_SMTP: "dr.lee@clinic.example", AUTHOR_NAME: "Dr. Lee"}, "dr.lee"),
    ],
)
def test_who_wrote_has_an_address_that_mail_knows(
    tmp_path: Path, properties: dict[int, object], sender: str
) -> None:
    to = {KIND: 1, NAME: "Mia", ADDRESS: EXCHANGE, ADDRESS_TYPE: "EX", SMTP: "mia@family.example"}
    found = message(tmp_path, Item(mail() | properties, [to]))
    assert found.sender.value == f"{sender}@clinic.example"
    assert [one.value for one in found.recipients] == ["mia@family.example"]


def test_a_sender_without_a_mail_address_is_asked_about(tmp_path: Path) -> None:
    item = Item(mail() | {SENDER_TYPE: "EX", SENDER: EXCHANGE}, [CARE])
    found = read_one(tmp_path, item)
    assert isinstance(found, Broken)
    assert found.reason == "has no sender"
    assert EXCHANGE.encode("utf-16-le") in found.content


RICH = compress(
    rb"{\rtf1\ansi\ansicpg1252\uc1 May I have a caf\'e9 \u-10179?\u-8704?\par Thank you}"
)


@pytest.mark.parametrize(
    ("bodies", "text"),
    [
        ({HTML: "<p>Grüße</p>".encode("cp1252"), HTML_CODE_PAGE: 1252}, "Grüße"),
        ({HTML: b'<meta charset="koi8-r"><p>\xf0\xd2\xc9</p>'}, "При"),
        ({RICH_TEXT: RICH}, "May I have a café 😀\nThank you"),
        ({TEXT: "plain", HTML: b"<p>rich</p>", HTML_CODE_PAGE: 65001}, "plain"),
    ],
)
def test_the_text_is_read_in_whatever_form_it_is_there(
    tmp_path: Path, bodies: dict[int, object], text: str
) -> None:
    properties = mail()
    del properties[TEXT]
    assert message(tmp_path, Item(properties | bodies, [CARE])).text == text


def test_files_and_forwarded_mails_come_along(tmp_path: Path) -> None:
    inner = Item(mail() | {SUBJECT: "Inner"}, [CARE], [{DATA: b"deep", LONG_NAME: "deep.txt"}])
    files = [
        {DATA: b"\x89PNG" * 3000, LONG_NAME: "Fuß; 1.png", TYPE: "image/png", CONTENT_ID: "<pic>"},
        {LONG_NAME: "Inner", METHOD: 5, DATA: inner},
        {LONG_NAME: "plan.docx", METHOD: 7, PLACE: "https://files.example/plan.docx"},
        {DATA: b"?", TYPE: "no type at all\r\nX: y"},
    ]
    found = message(tmp_path, Item(mail(), [CARE], files))
    assert [(one.filename, one.content_type) for one in found.attachments] == [
        ("Fuß; 1.png", "image/png"),
        ("Inner.eml", "message/rfc822"),
        ("plan.docx.url", "text/uri-list"),
        ("file", "application/octet-stream"),
    ]
    first, forwarded, link, last = found.attachments
    assert first.content == b"\x89PNG" * 3000
    assert b"Subject: Inner" in (forwarded.content or b"")
    assert link.content == b"https://files.example/plan.docx\r\n"
    assert last.content == b"?"
    assert found.text == "May I have a refill?"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({FLAGS: 8}, DRAFT),
        ({CLASS: "REPORT.IPM.Note.NDR"}, "delivery report"),
        ({CLASS: "IPM.Schedule.Meeting.Request"}, "invitation"),
        ({CLASS: "IPM.Appointment"}, "appointment"),
        ({CLASS: "IPM.SkypeTeams.Message"}, "Teams"),
        ({CLASS: "IPM.Contact"}, "not a mail"),
    ],
)
def test_what_was_not_sent_as_a_mail_is_set_aside(
    tmp_path: Path, properties: dict[int, object], reason: str
) -> None:
    found = read_one(tmp_path, Item(mail() | properties, [CARE]))
    assert isinstance(found, Broken)
    assert found.set_aside
    assert reason in found.reason
    assert found.content


def test_a_mail_without_an_id_has_the_same_one_from_every_copy(tmp_path: Path) -> None:
    properties = mail()
    del properties[MESSAGE_ID]
    file = {DATA: b"x", LONG_NAME: "a.bin"}
    first = message(tmp_path, Item(properties, [CARE], [file]))
    again = message(tmp_path, Item(properties | {0x0FFF: b"another place"}, [CARE], [file]))
    later = message(
        tmp_path, Item(properties | {SUBMITTED: SENT.replace(minute=31)}, [CARE], [file])
    )
    assert first.external_id == again.external_id != later.external_id


def test_a_line_break_in_a_property_makes_no_field(tmp_path: Path) -> None:
    item = Item(mail() | {SUBJECT: "Hi\r\nFrom: eve@evil.example\r\n\r\nBody"}, [CARE])
    found = message(tmp_path, item)
    assert found.sender.value == "ana@family.example"
    assert found.text == "May I have a refill?"


def damaged() -> list[bytes]:
    """Items that are cut off, or whose numbers were changed."""
    whole = written(Item(mail(), [CARE], [{DATA: b"z" * 9000, LONG_NAME: "z"}]))
    turned = [bytearray(whole) for _ in range(6)]
    for at, one in zip((48, 60, 76, 513, 1100, len(whole) - 500), turned, strict=True):
        one[at : at + 4] = struct.pack("<I", 0x7FFF_FFF0)
    return [whole[:600], whole[:3000], whole[: len(whole) // 2], *map(bytes, turned)]


@pytest.mark.parametrize("content", damaged())
def test_a_damaged_item_ends_no_import(tmp_path: Path, content: bytes) -> None:
    found = read_one(tmp_path, content)
    assert isinstance(found, Message | Broken)
    if isinstance(found, Broken):
        assert found.reason
        assert found.content == content


def test_streams_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    files = [{DATA: bytes(40_000), LONG_NAME: f"{at}"} for at in range(3)]
    content = bytearray(written(Item(mail(), [CARE], files)))
    name = "__substg1.0_37010102".encode("utf-16-le")
    at = places = content.find(name)
    shared = content[at + 116 : at + 120]
    found = 0
    while (places := content.find(name, places + 1)) > 0:
        content[places + 116 : places + 120] = shared
        found += 1
    assert found == 2
    # No longer than the file, three times the same bytes could be three files.
    assert isinstance(read_one(tmp_path, bytes(content)), Message)
    many = [
        {DATA: bytes(40_000), LONG_NAME: "0"},
        *({DATA: b"", LONG_NAME: f"{n}"} for n in range(9)),
    ]
    content = bytearray(written(Item(mail(), [CARE], many)))
    places = content.find(name)
    start = content[places + 116 : places + 124]
    while (places := content.find(name, places + 1)) > 0:
        content[places + 116 : places + 124] = start
    refused = read_one(tmp_path, bytes(content))
    assert isinstance(refused, Broken)
    assert "share their bytes" in refused.reason


def test_items_in_an_archive_are_found_and_other_documents_are_not(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a/one.msg", written(Item(mail(), [CARE])))
    (found,) = read_path(tmp_path / "all.zip", options=OPTIONS, channels=[CHANNEL])
    assert isinstance(found, Message)
    other = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    assert not CHANNEL.sniff(other, tmp_path / "letter.doc")
