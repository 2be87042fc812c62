"""CSV and JSON Lines in, messages out."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.table import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message

CLINIC = Address(AddressKind.PHONE, "+15551230100")
HEADER = "id,thread,sent,from,to,text,subject,channel,medium,in_reply_to,attachments\n"
FULL = {
    "id": "m2",
    "thread": "t1",
    "sent": "2024-05-13T15:04:00-04:00",
    "from": "Ana Prado <+1 555 123 0111>",
    "to": ["+1 555 123 0100", "ben@example.org"],
    "text": "Hi, how are you?",
    "subject": "A question",
    "channel": "portal",
    "medium": "SMSWRIT",
    "in_reply_to": "m1",
}

Read = Callable[..., list[Message | Broken]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(content: str | bytes, zone: str = "UTC") -> list[Message | Broken]:
        path = tmp_path / "table"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(CHANNEL.read(path, ReadOptions(ZoneInfo(zone), (CLINIC,))))

    return read


def as_csv(delimiter: str = ",") -> str:
    cells = [";".join(v) if isinstance(v, list) else v for v in FULL.values()]
    rows = [list(FULL), cells]
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)


def as_json() -> str:
    return json.dumps(FULL) + "\n"


def utf16(text: str) -> bytes:
    return codecs.BOM_UTF16_LE + text.encode("utf-16-le")


FORMS = {
    "commas": as_csv().encode(),
    "semicolons": as_csv(";").encode(),
    "tabs": as_csv("\t").encode(),
    "byte order mark": codecs.BOM_UTF8 + as_csv().encode(),
    "UTF-16": utf16(as_csv("\t")),
    "JSON Lines": as_json().encode(),
    "JSON Lines with a mark": codecs.BOM_UTF8 + as_json().encode(),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_of_a_full_row(read: Read, content: bytes) -> None:
    assert CHANNEL.sniff(content, Path("any"))
    (message,) = read(content)
    assert message == Message(
        channel="portal",
        external_id="m2",
        sender=Address(AddressKind.PHONE, "+15551230111", "Ana Prado"),
        recipients=(CLINIC, Address(AddressKind.EMAIL, "ben@example.org")),
        sent=datetime(2024, 5, 13, 19, 4, tzinfo=UTC),
        text="Hi, how are you?",
        new_text="Hi, how are you?",
        thread_hint="t1",
        subject="A question",
        references=("m1",),
        in_reply_to="m1",
        medium="SMSWRIT",
    )


@pytest.mark.parametrize(
    "content",
    [
        "sent,from,text\n2024-05-13 15:04,+15551230111,Hi\n",
        'TEXT ; From;Sent\n"Hi";+15551230111;2024-05-13T15:04Z\n',
        '{"sent": "2024-05-13T15:04:00", "from": "+15551230111", "text": "Hi", "more": 1}\n\n',
    ],
)
def test_the_fewest_columns(read: Read, content: str) -> None:
    (message,) = read(content)
    assert isinstance(message, Message)
    assert (message.text, message.recipients) == ("Hi", (CLINIC,))
    assert (message.channel, message.thread_hint) == ("table", "+15551230111")
    assert message.sent == datetime(2024, 5, 13, 15, 4, tzinfo=UTC)
    (again,) = read(content)
    assert isinstance(again, Message)
    assert again.external_id == message.external_id != ""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("+1 555 123 0111", "+15551230111"),
        ("Ana@example.org", "ana@example.org"),
        ("whatsapp:Ana", "whatsapp:Ana"),
        ("Ana", "table:Ana"),
    ],
)
def test_who_a_cell_is(read: Read, written: str, value: str) -> None:
    (message,) = read(f"sent,from,text\n2024-05-13 15:04,{written},Hi\n")
    assert isinstance(message, Message)
    assert message.sender.value == value


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("yesterday,+15551230111,Hi", "sent: no date and time as ISO 8601 writes them"),
        ("2024-05-13,+15551230111,Hi", "sent: no date and time as ISO 8601 writes them"),
        (",+15551230111,Hi", "sent: no date and time as ISO 8601 writes them"),
        (
            "0001-01-01T00:00+14:00,+15551230111,Hi",
            "sent: no date and time as ISO 8601 writes them",
        ),
        ("2024-05-13 15:04, ,Hi", "from: empty"),
        ("2024-05-13 15:04,+15551230111,", "text: empty"),
        ("2024-05-13 15:04,+15551230111", "has 2 cells where the header has 3"),
        ("2024-05-13 15:04,a,b,c,d", "has 5 cells where the header has 3"),
    ],
)
def test_a_bad_row_is_set_aside_and_the_next_is_read(read: Read, row: str, reason: str) -> None:
    broken, good = read(f"sent,from,text\n{row}\n2024-05-13 15:04,+15551230111,Hi\n")
    assert broken == Broken("table", "table, row 2", reason, f"{row}\n".encode(), "text/plain")
    assert isinstance(good, Message)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"from": "+15551230111", "text": "Hi"}', "sent: missing"),
        ('{"sent": 5, "from": "a", "text": "Hi"}', "sent: Expected `str`, got `int`"),
        (
            '{"sent": "2024-05-13T15:04Z", "from": "a", "attachments": [5]}',
            "attachments[0]: Expected `str`, got `int`",
        ),
        ("{", "is not JSON"),
        ("[]", "Expected `object`, got `array`"),
    ],
)
def test_a_bad_line_is_set_aside_and_the_next_is_read(read: Read, line: str, reason: str) -> None:
    first, broken, last = read(f"{as_json()}{line}\n{as_json()}")
    assert broken == Broken("table", "table, row 2", reason, f"{line}\n".encode(), "text/plain")
    assert isinstance(first, Message)
    assert isinstance(last, Message)


def test_a_quotation_mark_that_is_not_closed_costs_one_row(read: Read) -> None:
    open_quote = '2024-05-13 15:04,a,"Hi\n'
    good = "2024-05-13 15:04,a,Hi\n"
    broken, *others = read(f"sent,from,text\n{open_quote}{good}{good}")
    assert isinstance(broken, Broken)
    assert broken.content == open_quote.encode()
    assert [type(one) for one in others] == [Message, Message]


def test_a_cell_of_several_lines_keeps_its_row_number(read: Read) -> None:
    message, broken = read('sent,from,text\n2024-05-13 15:04,a,"one\ntwo"\nbad,a,b\n')
    assert isinstance(message, Message)
    assert message.text == "one\ntwo"
    assert isinstance(broken, Broken)
    assert broken.source == "table, row 3"


def test_a_line_that_is_not_utf8_is_windows_1252(read: Read) -> None:
    content = "sent,from,text\n2024-05-13 15:04,a,café\nbad,a,café\n".encode("cp1252")
    message, broken = read(content)
    assert isinstance(message, Message)
    assert message.text == "café"
    assert isinstance(broken, Broken)
    assert broken.content == "bad,a,café\n".encode("cp1252")


def test_times_without_a_zone_are_local(read: Read) -> None:
    text = "sent,from,text\n2025-11-02 01:30,a,twice\n2025-07-01 12:00,a,once\n"
    first, second = read(text, "America/New_York")
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.sent.hour, len(first.notes)) == (5, 1)
    assert (second.sent.hour, second.notes) == (16, ())


def test_attachments_lie_in_the_folder_of_the_table(read: Read, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.png").write_bytes(b"png")
    (tmp_path.parent / "outside.txt").write_text("secret")
    names = "files/a.png;missing.pdf;../outside.txt"
    (message,) = read(f"sent,from,text,attachments\n2024-05-13 15:04,a,,{names}\n")
    assert isinstance(message, Message)
    assert [one.content for one in message.attachments] == [b"png", None, None]
    assert message.attachments[0].content_type == "image/png"
    assert len(message.notes) == 2
    assert list(CHANNEL.companions(tmp_path / "table")) == [tmp_path / "files" / "a.png"]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"kind,id,family,given,phone\n",
        b'{"resourceType": "Bundle"}',
        b"sent from my phone, text me\n",
        b"\x00\x01,sent,from,text\n",
        b"[]",
    ],
)
def test_what_is_no_table_of_messages(head: bytes) -> None:
    assert not CHANNEL.sniff(head, Path("messages.csv"))


def test_a_table_without_the_needed_columns(read: Read) -> None:
    (broken,) = read("when,who,what\n1,2,3\n")
    assert isinstance(broken, Broken)
    assert broken.reason == "header: needs the columns from, sent, text"
