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
from threadwell.channels.reading import read_path
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
            '{"sent": "2024-05-13T15:04Z", "from": 1.55512e+10, "text": "Hi"}',
            "from: is a number that has lost digits",
        ),
        (
            '{"sent": "2024-05-13T15:04Z", "from": "a", "id": 1234567890123456789.0}',
            "id: is a number that has lost digits",
        ),
        (
            '{"sent": "2024-05-13T15:04Z", "from": "a", "x": ' + "[" * 9999 + "]" * 9999 + "}",
            "is JSON that is nested too deep",
        ),
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


def cells(head: str, *rows: str) -> str:
    return "".join(f"{line}\n" for line in (head, *rows))


def row_of(items: list[Message | Broken]) -> Message:
    (message,) = items
    assert isinstance(message, Message), message
    return message


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("sep=;\nid;sent;from;to;text", 'm1;2024-05-13T15:04Z;+15551230111;+15551230100;"a;b"'),
        ("sep=|\nid|sent|from|to|text", "m1|2024-05-13T15:04Z|+15551230111|+15551230100|a;b"),
        ('"sep=\t"\nid\tsent\tfrom\tto\ttext', "m1\t2024-05-13T15:04Z\t+15551230111\t\ta;b"),
        ("id|sent|from|text", "m1|2024-05-13T15:04Z|+15551230111|a;b"),
        ("ID,Sent,From,To,Text,,", "m1,2024-05-13T15:04Z,+15551230111,,a;b,,"),
        ("id,sent,from,text", "m1,2024-05-13T15:04Z,+15551230111,a;b,,,"),
        ("id,sent,from,text", ",,,\nm1,2024-05-13T15:04Z,+15551230111,a;b\n,,,"),
        ("id,sent,from,text,In Reply To", "m1,2024-05-13T15:04Z,+15551230111,a;b,NULL"),
        ("id,sent,from,text", "m1,2024-05-13 15:04 UTC,+15551230111,a;b"),
        ("id,sent,from,text", "m1,2024-05-13 11:04 -0400,+15551230111,a;b"),
        # Guarded, so that a spreadsheet takes none of it for a formula.
        ("id,sent,from,to,text", "m1,2024-05-13T15:04Z,'+15551230111,'+15551230100,a;b"),
        (
            "id,sent,from,to,text",
            '"=""m1""",2024-05-13T15:04Z,"=""+15551230111""","=""+15551230100""",a;b',
        ),
        # Taken for numbers, and kept whole.
        ("id,sent,from,text", "m1,2024-05-13T15:04Z,15551230111.0,a;b"),
        ("id,sent,from,text", "m1,2024-05-13T15:04Z,1.5551230111E+10,a;b"),
        ("id,sent,from,to,text", 'm1,2024-05-13T15:04Z,"15,551,230,111",null,a;b'),
        (
            "id,sent,from,text,attachments,thread",
            "m1,2024-05-13T15:04Z,15551230111,a;b,<null>,None",
        ),
    ],
)
def test_a_table_as_spreadsheets_write_it(read: Read, head: str, row: str) -> None:
    content = cells(head, row)
    assert CHANNEL.sniff(content.encode(), Path("any"))
    message = row_of(read(content))
    assert (message.external_id, message.text) == ("m1", "a;b")
    assert message.sent == datetime(2024, 5, 13, 15, 4, tzinfo=UTC)
    assert message.sender.value == "+15551230111"
    assert message.recipients == (CLINIC,)
    assert (message.references, message.attachments) == ((), ())
    assert message.thread_hint == "+15551230111"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("m1,2024-05-13T15:04Z,1.55512E+10,Hi,", "from: has lost digits in a spreadsheet"),
        ("m1,2024-05-13T15:04Z,Ana <1.55512E+10>,Hi,", "from: has lost digits in a spreadsheet"),
        ("m1,2024-05-13T15:04Z,#######,Hi,", "from: has lost digits in a spreadsheet"),
        ("m1,2024-05-13T15:04Z,#NAME?,Hi,", "from: has lost digits in a spreadsheet"),
        ("m1,2024-05-13T15:04Z,-872,Hi,", "from: has lost digits in a spreadsheet"),
        ("m1,2024-05-13T15:04Z,a,Hi,1.55512E+10", "in_reply_to: has lost digits in a spreadsheet"),
        ("9.87654E+17,2024-05-13T15:04Z,a,Hi,", "id: has lost digits in a spreadsheet"),
        ("987654321012345000,2024-05-13T15:04Z,a,Hi,", "id: has lost digits in a spreadsheet"),
        ("m1,4.5425E+4,a,Hi,", "sent: no date and time as ISO 8601 writes them"),
        ("m1,4.5E+4,a,Hi,", "sent: has lost digits in a spreadsheet"),
        ("m1,45425.628,a,Hi,", "sent: no date and time as ISO 8601 writes them"),
        ("m1,0024-05-13T15:04Z,a,Hi,", "sent: no date and time as ISO 8601 writes them"),
        ("m1,2024-05-13T15:04Z,NULL,Hi,", "from: empty"),
    ],
)
def test_where_a_spreadsheet_lost_something_the_row_is_refused(
    read: Read, row: str, reason: str
) -> None:
    (broken,) = read(cells("id,sent,from,text,in_reply_to", row))
    assert isinstance(broken, Broken)
    assert (broken.source, broken.reason) == ("table, row 2", reason)


@pytest.mark.parametrize("text", ["'-5 mg", "=1+1", "None", "null", "1.5E+3", "#####", "+1"])
def test_what_somebody_wrote_stays_as_it_is(read: Read, text: str) -> None:
    content = cells("id,sent,from,text,subject", f"m1,2024-05-13T15:04Z,a,{text},{text}")
    message = row_of(read(content))
    assert (message.text, message.subject) == (text, text)


@pytest.mark.parametrize(
    ("id_", "kept"), [("1.0", "1"), ("-100123", "-100123"), ("1e10", "1e10"), ("1.2.3", "1.2.3")]
)
def test_an_id_is_kept_unless_it_is_a_number_in_disguise(read: Read, id_: str, kept: str) -> None:
    content = cells("id,thread,sent,from,text", f"{id_},{id_},2024-05-13T15:04Z,a,Hi")
    message = row_of(read(content))
    assert (message.external_id, message.thread_hint) == (kept, kept)


@pytest.mark.parametrize(
    ("to", "recipients"),
    [
        ("a@example.org, b@example.org", ["a@example.org", "b@example.org"]),
        ("+15551230100; +15551230101", ["+15551230100", "+15551230101"]),
        ("+15551230100,+15551230101", ["+15551230100", "+15551230101"]),
        ("whatsapp:Prado, Ana", ["whatsapp:Prado, Ana"]),
        ("whatsapp:+15551230101", ["+15551230101"]),
    ],
)
def test_several_recipients_in_one_cell(read: Read, to: str, recipients: list[str]) -> None:
    content = cells("id,sent,from,to,text", f'm1,2024-05-13T15:04Z,a,"{to}",Hi')
    assert [one.value for one in row_of(read(content)).recipients] == recipients


def test_half_of_a_character_in_json_is_replaced_and_noted(read: Read) -> None:
    line = (
        '{"sent": "2024-05-13T15:04Z", "from": "a", "text": "half \\ud83d, \\ud83d\\ude00 \\\\ud8"}'
    )
    message = row_of(read(line + "\n"))
    assert message.text == "half \ufffd, \U0001f600 \\ud8"
    assert message.notes == ("some characters were damaged in the table and are replaced",)


def test_numbers_in_json_are_names_too(read: Read) -> None:
    line = '{"sent": "2024-05-13T15:04Z", "from": 15551230111.0, "to": [15551230100], "text": "Hi"'
    message = row_of(read(line + ', "id": 17, "in_reply_to": 16.0, "thread": null}\n'))
    assert (message.sender.value, message.recipients) == ("+15551230111", (CLINIC,))
    assert (message.external_id, message.references) == ("17", ("16",))


def made_ids(items: list[Message | Broken]) -> list[str]:
    assert not [item for item in items if isinstance(item, Broken)]
    return [item.external_id for item in items if isinstance(item, Message)]


def test_a_row_without_an_id_is_the_same_in_every_export(read: Read) -> None:
    head = "sent,from,to,text,attachments"
    rows = ("2024-05-13 15:04:05.250,+15551230111,+15551230100,ok,a.png",)
    first = made_ids(read(cells(head, *rows)))
    for again in (
        "2024-05-13 15:04:05,(555) 123-0111,+1 555 123 0100,ok,",
        "2024-05-13T15:04:05.250,'+15551230111,15551230100.0,ok,",
    ):
        assert made_ids(read(cells(head, again))) == first
    assert made_ids(read(cells(head, *rows), "America/New_York")) == first


def test_equal_rows_without_an_id_are_as_many(read: Read) -> None:
    head = "sent,from,text"
    cut = made_ids(read(cells(head, *["2024-05-13 15:04:05,a,ok"] * 2)))
    exact = made_ids(
        read(cells(head, "2024-05-13 15:04:05.250,a,ok", "2024-05-13 15:04:05.900,a,ok"))
    )
    assert cut == exact
    assert len(set(cut)) == 2


@pytest.mark.parametrize(
    ("content", "name", "lacks"),
    [
        ("date,sender,text\n1,2,3\n", "a.csv", "needs the columns from, sent. If"),
        ("date,sender,text\n1,2,3\n", "a.csv", "with --columns from=… --columns sent=…"),
        ("date;sender;message\n1;2;3\n", "a.csv", "needs the columns from, sent, text"),
        ("sep=;\nsent;from;message\n1;2;3\n", "a.txt", "needs the columns text"),
        ("kind,id,family,given\n", "team.csv", "a table of people: give it with --people"),
        ('{"date": "x", "from": "a", "text": "Hi"}\n', "a.jsonl", "needs the keys sent"),
        ('[{"sent": "x", "from": "a", "text": "Hi"}]', "a.json", "one object on a line"),
        ("sent from my phone, text me\n", "note.txt", ""),
        ("Dear all,\nsee you\n", "note.txt", ""),
        ('{"resourceType": "Bundle"}', "a.json", ""),
        ("alone\n", "a.csv", ""),
    ],
)
def test_a_table_with_other_columns_says_which_are_missing(
    tmp_path: Path, content: str, name: str, lacks: str
) -> None:
    (tmp_path / name).write_text(content)
    options = ReadOptions(ZoneInfo("UTC"))
    (broken,) = read_path(tmp_path, options=options, channels=[CHANNEL])
    assert isinstance(broken, Broken)
    assert broken.content == content.encode()
    assert lacks in broken.reason
    if not lacks:
        assert broken.reason == "not a format that Threadwell reads"


def test_a_column_that_stands_twice_is_told(read: Read) -> None:
    (broken,) = read("id,sent,from,From,text\n")
    assert isinstance(broken, Broken)
    assert broken.reason == "header: has the column from twice"


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


@pytest.mark.parametrize("key", ["id", "from", "sent", "text"])
def test_a_key_that_stands_twice_is_refused_and_the_next_line_is_read(read: Read, key: str) -> None:
    twice = json.dumps(FULL)[:-1] + f', "{key}": "x"}}\n'
    inside = json.dumps({**FULL, "text": f'"{key}": is a word here, "{key}": and there'})
    first, second = read(twice + inside)
    assert isinstance(first, Broken)
    assert first.reason == f"{key}: stands twice"
    assert isinstance(second, Message)
