"""Message logs of Twilio, in all the forms in which they are kept, become the same messages."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import channels
from threadwell.channels import Channel, ReadOptions
from threadwell.channels.reading import read_path
from threadwell.channels.twilio import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message, gaps

CLINIC = Address(AddressKind.PHONE, "+12075550100")
ANA = Address(AddressKind.PHONE, "+12075550111")
ACCOUNT = "AC" + "0a" * 16
AT = datetime(2026, 3, 2, 14, 30, 5, tzinfo=UTC)
OPTIONS = ReadOptions(None, (CLINIC,))
Read = Callable[..., list[Message | Broken]]


def sid(number: int, kind: str = "SM") -> str:
    return f"{kind}{number:032x}"


def entry(number: int = 1, **changed: Any) -> dict[str, Any]:
    """One as the API has it: received from Ana, two minutes later for each number."""
    at = format_datetime(AT + timedelta(minutes=2 * (number - 1)))
    return {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "body": f"My cough is back, {number}",
        "date_created": at,
        "date_sent": at,
        "date_updated": at,
        "direction": "inbound",
        "error_code": None,
        "error_message": None,
        "from": ANA.value,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": sid(number),
        "status": "received",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid(number)}/M"},
        "to": CLINIC.value,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid(number)}.json",
    } | changed


SENT = {
    "direction": "outbound-api",
    "from": CLINIC.value,
    "to": ANA.value,
    "status": "delivered",
    "body": "Any fever?",
}
LOG = [entry(1), entry(2, **SENT), entry(3, body='Yes, "38.5"\nsince Sunday')]


def page(entries: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=50"
    return {"first_page_uri": uri, "messages": entries, "next_page_uri": None, "page": 0} | more


def bulk(one: dict[str, Any]) -> dict[str, Any]:
    gone = ("api_version", "price_unit", "error_message", "uri", "subresource_uris")
    out = {name: value for name, value in one.items() if name not in gone}
    at = datetime.strptime(one["date_sent"], "%a, %d %b %Y %H:%M:%S %z")
    return out | dict.fromkeys(
        ("date_created", "date_sent", "date_updated"), at.isoformat().replace("+00:00", "Z")
    )


def camel(one: dict[str, Any], form: str = "%Y-%m-%dT%H:%M:%S.000Z") -> dict[str, Any]:
    def name(key: str) -> str:
        first, *rest = key.split("_")
        return first + "".join(word.title() for word in rest)

    at = datetime.strptime(one["date_sent"], "%a, %d %b %Y %H:%M:%S %z")
    dates = dict.fromkeys(("dateCreated", "dateSent", "dateUpdated"), at.strftime(form))
    return {name(key): value for key, value in one.items()} | dates


COLUMNS = (
    "From,To,Body,Status,SentDate,ApiVersion,NumSegments,ErrorCode,AccountSid,Sid,Direction,"
    "Price,PriceUnit"
)
OLDER = "Body,Status,SentDate,ApiVersion,NumSegments,AccountSid,Sid,Direction,From,To,Price"


def console(entries: list[dict[str, Any]], columns: str = COLUMNS, **how: Any) -> str:
    cells = {
        "From": "from", "To": "to", "Body": "body", "Status": "status", "SentDate": "date_sent",
        "ApiVersion": "api_version", "NumSegments": "num_segments", "ErrorCode": "error_code",
        "AccountSid": "account_sid", "Sid": "sid", "Direction": "direction", "Price": "price",
        "PriceUnit": "price_unit",
    }  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, **how)
    writer.writerow(columns.split(","))
    for one in map(bulk, entries):
        writer.writerow(
            [one.get(cells[column]) if column in cells else "" for column in columns.split(",")]
        )
    return out.getvalue()


def lines(entries: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in entries)


def airbyte(one: dict[str, Any]) -> dict[str, Any]:
    return {"_airbyte_raw_id": "x", "_airbyte_data": one}


def singer(one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "messages", "record": one}


FORMS: dict[str, str | bytes] = {
    "a page": json.dumps(page(LOG)),
    "a page, indented": json.dumps(page(LOG, end=2), indent=2),
    "a page, in the order of members that others write": json.dumps(page(LOG), sort_keys=True),
    "pages one after the other": json.dumps(page(LOG[:1])) + json.dumps(page(LOG[1:])),
    "pages on lines": lines([page(LOG[:2]), page(LOG[2:]), page([])]),
    "an array of pages": json.dumps([page(LOG[:2]), page(LOG[2:])]),
    "an array": json.dumps(LOG),
    "an array, indented": json.dumps(LOG, indent=4),
    "lines": lines(LOG),
    "an export": lines([bulk(one) for one in LOG]),
    "what the command line prints": json.dumps([camel(one) for one in LOG], indent=3),
    "times without zone": lines([camel(one, "%Y-%m-%d %H:%M:%S") for one in LOG]),
    "times of JavaScript": lines(
        [camel(one, "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)") for one in LOG]
    ),
    "times of Python": lines([camel(one, "%Y-%m-%d %H:%M:%S+00:00") for one in LOG]),
    "Airbyte": lines([airbyte(one) for one in LOG]),
    "Singer": lines(
        [{"type": "SCHEMA", "stream": "messages"}, *map(singer, LOG), {"type": "STATE"}]
    ),
    "with a mark": codecs.BOM_UTF8 + json.dumps(LOG).encode(),
    "in UTF-16": json.dumps(page(LOG)).encode("utf-16"),
    "the console": console(LOG),
    "the console, older": console(LOG, OLDER),
    "the console, with a mark": codecs.BOM_UTF8 + console(LOG).encode(),
    "semicolons": console(LOG, delimiter=";"),
    "a script of its own": console(LOG)
    .replace("SentDate", "Date Sent", 1)
    .replace(",Sid", ",SMS Message SID", 1),
}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(content: str | bytes, options: ReadOptions = OPTIONS) -> list[Message | Broken]:
        path = tmp_path / "log"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(CHANNEL.read(path, options))

    return read


def one(read: Read, **changed: Any) -> Message | Broken:
    (item,) = read(lines([entry(1, **changed)]))
    return item


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_messages(read: Read, tmp_path: Path, content: str | bytes) -> None:
    head = content if isinstance(content, bytes) else content.encode()
    known = [one.name for one in channels() if one.sniff(head[:16384], Path("any"))]
    assert known[:1] == ["twilio"]
    items = [one for one in read(content) if isinstance(one, Message)]
    # What a log of the console does not say is how many files came with a message.
    bare = [replace(one, notes=()) for one in items]
    first = Message(
        channel="twilio",
        external_id=sid(1),
        sender=ANA,
        recipients=(CLINIC,),
        sent=AT,
        text="My cough is back, 1",
        new_text="My cough is back, 1",
        thread_hint="+12075550111,+12075550100",
        medium="SMSWRIT",
        made_id=True,
        ours=(CLINIC,),
        source=ACCOUNT,
    )
    assert bare == [
        first,
        replace(
            first,
            external_id=sid(2),
            sender=CLINIC,
            recipients=(ANA,),
            sent=AT + timedelta(minutes=2),
            text="Any fever?",
            new_text="Any fever?",
        ),
        replace(
            first,
            external_id=sid(3),
            sent=AT + timedelta(minutes=4),
            text='Yes, "38.5"\nsince Sunday',
            new_text='Yes, "38.5"\nsince Sunday',
        ),
    ]
    has_zone = b" 14:30" not in head or b"GMT" in head or b"+00" in head or b"+\0" in head
    assert {note for item in items for note in item.notes} == (
        set() if has_zone else {gaps.NO_ZONE}
    )


def test_an_export_is_read_as_it_is_downloaded(tmp_path: Path) -> None:
    path = tmp_path / "2026-03-02.json.gz"
    path.write_bytes(gzip.compress(lines([bulk(one) for one in LOG]).encode()))
    items = list(read_path(path, options=OPTIONS, channels=channels()))
    assert [item.medium for item in items if isinstance(item, Message)] == ["SMSWRIT"] * 3


@pytest.mark.parametrize(
    ("changed", "sender", "recipient", "thread", "medium"),
    [
        ({"from": "whatsapp:+12075550111", "to": "whatsapp:+12075550100"},
         ANA, CLINIC, "whatsapp:+12075550111,+12075550100", "APPWRIT"),
        ({**SENT, "from": "whatsapp:+12075550100", "to": "whatsapp:+12075550111"},
         CLINIC, ANA, "whatsapp:+12075550111,+12075550100", "APPWRIT"),
        ({"from": "rcs:+12075550111", "to": "rcs:harbour_lane"},
         ANA, "rcs:harbour_lane", "rcs:+12075550111,rcs:harbour_lane", "SMSWRIT"),
        ({"from": "messenger:8812"}, "messenger:8812", CLINIC,
         "messenger:messenger:8812,+12075550100", "APPWRIT"),
        ({"from": "24365"}, Address(AddressKind.PHONE, "24365"), CLINIC,
         "24365,+12075550100", "SMSWRIT"),
        ({**SENT, "from": "HARBOURLANE"}, "sms:HARBOURLANE", ANA,
         "+12075550111,sms:HARBOURLANE", "SMSWRIT"),
        ({"from": "sim:DE" + "0" * 32}, "sim:DE" + "0" * 32, CLINIC,
         f"sim:DE{'0' * 32},+12075550100", "SMSWRIT"),
        ({"from": "'+12075550111"}, ANA, CLINIC, "+12075550111,+12075550100", "SMSWRIT"),
        ({**SENT, "from": None, "messaging_service_sid": "MG" + "1" * 32, "status": "failed"},
         "twilio:MG" + "1" * 32, ANA, f"+12075550111,twilio:MG{'1' * 32}", "SMSWRIT"),
        ({**SENT, "from": None, "status": "failed"}, CLINIC, ANA,
         "+12075550111,+12075550100", "SMSWRIT"),
    ],
)  # fmt: skip
def test_who_is_at_both_ends(
    read: Read,
    changed: dict[str, Any],
    sender: Address | str,
    recipient: Address | str,
    thread: str,
    medium: str,
) -> None:
    message = one(read, **changed)
    assert isinstance(message, Message)

    def address(one: Address | str) -> Address:
        return Address(AddressKind.OTHER, one) if isinstance(one, str) else one

    assert message.sender == address(sender)
    assert message.recipients == (address(recipient),)
    assert (message.thread_hint, message.medium) == (thread, medium)
    inbound = "direction" not in changed
    assert message.ours == ((message.recipients[0],) if inbound else (message.sender,))


@pytest.mark.parametrize(
    ("status", "changed", "note"),
    [
        ("delivered", {}, ""),
        ("sent", {}, ""),
        ("read", {}, ""),
        ("undelivered", {"error_code": 30003},
         "it was not delivered, and nobody has received it (Twilio: undelivered, error 30003)"),
        ("failed", {"error_code": "30007"},
         "it was not delivered, and nobody has received it (Twilio: failed, error 30007)"),
        ("failed", {"error_code": 0},
         "it was not delivered, and nobody has received it (Twilio: failed)"),
        ("failed", {"date_sent": None},
         "it was not delivered, and nobody has received it (Twilio: failed)"),
        ("partially_delivered", {}, "it was delivered to some of its recipients only"),
    ],
)  # fmt: skip
def test_a_record_says_what_reached_nobody(
    read: Read, status: str, changed: dict[str, Any], note: str
) -> None:
    message = one(read, **{**SENT, "status": status, **changed})
    assert isinstance(message, Message)
    assert message.notes == ((note,) if note else ())
    assert message.sent == AT


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("scheduled", "it was scheduled, and not sent yet"),
        ("canceled", "its sending was cancelled"),
        ("accepted", "it was not sent yet when the log was made"),
        ("queued", "it was not sent yet when the log was made"),
        ("sending", "it was not sent yet when the log was made"),
    ],
)
def test_what_was_never_sent_is_no_message(read: Read, status: str, reason: str) -> None:
    broken = one(read, **{**SENT, "status": status, "date_sent": None})
    assert isinstance(broken, Broken)
    assert (broken.set_aside, broken.reason) == (True, reason)
    assert json.loads(broken.content)["sid"] == sid(1)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sid": "4711"}, "its sid is not the id of a message of Twilio"),
        ({"sid": None}, "its sid is not the id of a message of Twilio"),
        ({"sid": "IM" + "0" * 32},
         "it is of a conversation: the message log has it under its own id"),
        ({"from": "1.20756E+10"}, "a number in it has lost digits in a spreadsheet"),
        ({"from": "-872"}, "a number in it has lost digits in a spreadsheet"),
        ({"from": ""}, "nobody is named at its other end"),
        ({"date_sent": "5/23/16 10:21"}, "no date and time that can be read"),
        ({"date_sent": "2026-03-02"}, "no date and time that can be read"),
        ({"date_sent": "0001-01-01T00:00:00Z"}, "no date and time that can be read"),
        ({"date_sent": None, "date_created": None, "date_updated": None},
         "no date and time that can be read"),
        ({"direction": None, "status": None},
         "nothing says who wrote it: there is neither a direction nor a status"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_comes_back_with_the_reason(
    read: Read, changed: dict[str, Any], reason: str
) -> None:
    content = lines([entry(1, **changed), entry(2)])
    broken, message = read(content)
    assert isinstance(broken, Broken)
    assert isinstance(message, Message)
    assert (broken.reason, broken.set_aside) == (reason, False)
    assert broken.source == "log, record 1 (byte 0)"
    assert content.startswith(broken.content.decode())


def test_media_are_named_though_no_log_has_them(read: Read) -> None:
    message = one(read, sid=sid(1, "MM"), num_media="2", body="")
    assert isinstance(message, Message)
    assert [(file.filename, file.content) for file in message.attachments] == [
        ("media-1", None),
        ("media-2", None),
    ]
    assert (message.medium, message.notes) == ("MMSWRIT", ())


def test_a_log_that_does_not_count_media_leaves_open_whether_there_were_any(read: Read) -> None:
    (message,) = read(console([entry(1, sid=sid(1, "MM"), body="")]))
    assert isinstance(message, Message)
    assert message.attachments == ()
    assert message.notes[0] == "a file of it is not in the message log, if it had any"


@pytest.mark.parametrize("body", ["", None])
def test_deleted_words_are_told_from_an_empty_message(read: Read, body: str | None) -> None:
    message = one(read, body=body)
    assert isinstance(message, Message)
    assert (message.text, message.notes) == ("", (gaps.NO_WORDS,))


def test_what_an_exporter_says_of_itself_is_set_aside(read: Read) -> None:
    items = read(FORMS["Singer"])
    assert [item.reason for item in items if isinstance(item, Broken) and item.set_aside] == [
        "what an exporter says of itself"
    ] * 2


def test_what_a_trial_account_adds_was_not_written(read: Read) -> None:
    text = "Sent from your Twilio trial account - Any fever?"
    message = one(read, **{**SENT, "body": text})
    assert isinstance(message, Message)
    assert (message.text, message.new_text) == (text, "Any fever?")


def test_half_of_a_character_costs_that_character(read: Read) -> None:
    content = lines([entry(1, body="cut \ud83d"), entry(2)])
    first, second = read(content)
    assert isinstance(first, Message)
    assert (first.text, len(first.notes)) == ("cut \ufffd", 1)
    assert isinstance(second, Message)


@pytest.mark.parametrize(
    ("content", "whole", "broken"),
    [
        (lines(LOG)[:-20], 2, 1),
        (json.dumps(LOG)[:-20], 2, 1),
        (json.dumps(page(LOG))[:-300], 2, 1),
        (lines(LOG).replace('"body"', '"body', 1), 2, 1),
        (lines([LOG[0]]) + "{not json}\n" + lines(LOG[1:]), 3, 1),
        (console(LOG)[:-1].replace(sid(2), "x"), 2, 1),
        (console(LOG).replace("Any fever?", '"Any fever?'), 2, 1),
        (json.dumps(page([])), 0, 0),
        ("[]", 0, 0),
        ("", 0, 1),
        ("From,To,Body\na,b,c\n", 0, 1),
    ],
)
def test_damage_costs_what_it_touches(read: Read, content: str, whole: int, broken: int) -> None:
    items = read(content)
    assert sum(isinstance(item, Message) for item in items) == whole
    assert sum(isinstance(item, Broken) for item in items) == broken


def test_a_large_log_is_read_piece_by_piece(read: Read) -> None:
    every = [entry(number, body=f"{number} " + "x" * 1500) for number in range(1, 2001)]
    for content in (json.dumps(page(every)), json.dumps(every, indent=1)):
        assert len(content) > 2 * 1024 * 1024
        items = read(content)
        assert [item.external_id for item in items if isinstance(item, Message)] == [
            one["sid"] for one in every
        ]


@pytest.mark.parametrize(
    "content",
    [
        b'{"sid": "CA00000000000000000000000000000001", "from": "a", "date_created": "x"}',
        b'{"messages": [{"text": "hi"}]}',
        b'{"id": "m1", "sent": "2024-05-13T15:04:00-04:00", "from": "a", "text": "SM"}',
        b"sent,from,text\n",
        b"From,To,Body,SentDate,Direction\n",
        b"\x1f\x8b\x08\x00",
        b"",
        b"{",
    ],
)
def test_other_files_are_not_taken(content: bytes) -> None:
    assert not CHANNEL.sniff(content, Path("messages.json"))


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        (json.dumps({"messages": [{"sid": "IM" + "0" * 32, "conversation_sid": "CH" + "0" * 32}]}),
         "messages of Twilio Conversations, which do not say who received them: export the message "
         "log, which has each of their texts"),
        ("From,To,Body,Status,SentDate,NumSegments,Direction\n",
         "a message log of Twilio needs the columns sid"),
        ("From,To,Body,Status,SentDate\n", ""),
        ("{}", ""),
    ],
)  # fmt: skip
def test_what_is_nearly_a_log_says_what_it_lacks(content: str, lacks: str) -> None:
    assert not CHANNEL.sniff(content.encode(), Path("any"))
    assert CHANNEL.nearly(content.encode(), Path("any")) == lacks


def test_the_channel_is_listed_before_those_that_take_much() -> None:
    names = [channel.name for channel in channels()]
    assert isinstance(CHANNEL, Channel)
    assert names.index("twilio") < names.index("table")
