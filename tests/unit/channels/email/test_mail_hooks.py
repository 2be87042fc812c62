"""Mails that providers deliver are the same messages as their copies in a mailbox."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.channels.email.hooks_stand_in import (
    CARE,
    RECEIVED,
    account,
    basic,
    delivery,
    field,
    file,
    form,
    form_delivery,
    mailgun,
    mailgun_whole,
    postmark,
    postmark_whole,
    sendgrid,
    sendgrid_whole,
    signature,
)
from threadwell.channels.delivery import Delivery
from threadwell.channels.email import CHANNEL
from threadwell.channels.email.mail import read_mail
from threadwell.channels.live import State, Status
from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.zones import UTC_ZONE

LIVE = CHANNEL.live
assert LIVE is not None

APART: dict[str, Callable[[bytes], Delivery]] = {
    "sendgrid": sendgrid,
    "mailgun": mailgun,
    "postmark": postmark,
}
WHOLE: dict[str, Callable[[bytes], Delivery]] = {
    "sendgrid": sendgrid_whole,
    "mailgun": mailgun_whole,
    "postmark": postmark_whole,
}

HEADER = """\
Received: from mx.example.org (mx.example.org [192.0.2.7]) by mx.example.net; Mon, 3 Jun 2024 \
09:15:20 +0200
From: "Ana Prado" <ana@example.org>
To: Care Team <care@clinic.example.org>, leo@example.org
Subject: =?utf-8?q?R=C3=BCckfrage?= zum Rezept
Date: Mon, 3 Jun 2024 09:15:02 +0200
Message-ID: <r1@example.org>
In-Reply-To: <q1@clinic.example.org>
References: <q0@clinic.example.org>
 <q1@clinic.example.org>
MIME-Version: 1.0
"""
PIXEL = bytes(range(256)) + b"\r\n --xYzZY\r\n\r\n--xYzZYmore\r\n\n--xYzZY not alone\r\n\x00\r"

#: What mails are like, below their header.
BODIES: dict[str, bytes] = {
    "plain": b"Content-Type: text/plain; charset=utf-8\n\nIst es fertig?\n",
    "latin": b"Content-Type: text/plain; charset=iso-8859-1\n\nIst es f\xfcr mich?\n",
    "quoted": (
        b"Content-Type: text/plain; charset=windows-1252\n"
        b"Content-Transfer-Encoding: quoted-printable\n\nVielen Dank =96 f=FCr alles\n"
    ),
    "japanese": (
        b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + "薬はありますか".encode("iso2022_jp")
    ),
    "flowed": (
        b"Content-Type: text/plain; charset=utf-8; format=flowed\n\nThis line \nis one line.\n"
    ),
    "html": b"Content-Type: text/html; charset=utf-8\n\n<p>Is it <b>ready</b>?</p>\n",
    "both": (
        b'Content-Type: multipart/alternative; boundary="a"\n\n'
        b"--a\nContent-Type: text/plain; charset=utf-8\n\nIs it ready?\n"
        b"--a\nContent-Type: text/html; charset=utf-8\n\n<p>Is it ready?</p>\n--a--\n"
    ),
    "answer": (
        b"Content-Type: text/plain; charset=utf-8\n\nYes, please.\n\n"
        b"On Mon, 3 Jun 2024 at 08:00, Care <care@clinic.example.org> wrote:\n> Shall we?\n"
    ),
    "files": (
        b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b"--m\nContent-Type: text/plain; charset=utf-8\n\nSee below\n"
        b"--m\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment; filename=\"rash 'left'.png\"\n\n"
        + base64.encodebytes(PIXEL)
        + b"--m\nContent-Type: text/csv; charset=utf-8\n"
        b"Content-Disposition: attachment; filename*=utf-8''M%C3%A4rz.csv\n\nday;value\r\n1;5\n"
        b"--m\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment\n\n" + base64.encodebytes(b"%PDF-1.7\n\xff") + b"--m--\n"
    ),
    "only a file": (
        b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b"--m\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n"
        b'Content-Disposition: attachment; filename="a.png"\n\n'
        + base64.encodebytes(PIXEL)
        + b"--m--\n"
    ),
    "forwarded": (
        b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b"--m\nContent-Type: text/plain; charset=utf-8\n\nFor you\n"
        b"--m\nContent-Type: message/rfc822\n"
        b'Content-Disposition: attachment; filename="told.eml"\n\n'
        b"From: bea@example.org\nSubject: Hello\nContent-Type: text/plain\n\nHi\n--m--\n"
    ),
}


def heard(given: Delivery, provider: str, **values: str) -> list[Any]:
    """What a delivery holds."""
    return list(LIVE.parse(given, account(provider, **values), "US"))  # type: ignore[union-attr]


def one(given: Delivery, provider: str) -> Any:
    (found,) = heard(given, provider)
    return found


def with_own(copy: Message) -> Message:
    """As an account with the practice's address hands it over."""
    return replace(copy, ours=tuple(to for to in copy.recipients if to.key == CARE.key))


def from_mailbox(raw: bytes) -> Message:
    found = read_mail(raw, "a delivery to mail", UTC_ZONE, RECEIVED, own={CARE.key})
    assert isinstance(found, Message)
    return found


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("provider", APART)
def test_a_mail_that_was_taken_apart_is_the_one_in_the_mailbox(
    provider: str, body: bytes, line_end: bytes
) -> None:
    raw = (HEADER.encode() + body).replace(b"\r\n", b"\n").replace(b"\n", line_end)
    mail = one(APART[provider](raw), provider)
    copy = from_mailbox(raw)
    if provider == "postmark" and "format=flowed" in str(body):
        # It does not tell the type of the body: a line stays broken.
        assert (mail.external_id, mail.text.split()) == (copy.external_id, copy.text.split())
        return
    assert mail == with_own(copy)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("provider", WHOLE)
def test_a_mail_that_comes_whole_is_read_as_it_is(provider: str, body: bytes) -> None:
    raw = HEADER.encode() + body
    if provider == "postmark" and not body.isascii():
        raw = HEADER.encode() + BODIES["quoted"]
    mail = one(WHOLE[provider](raw), provider)
    assert mail == with_own(from_mailbox(raw))


@pytest.mark.parametrize("provider", WHOLE)
def test_without_a_message_id_a_whole_mail_has_the_id_of_its_copy(provider: str) -> None:
    raw = HEADER.replace("Message-ID: <r1@example.org>\n", "").encode() + BODIES["both"]
    mail = one(WHOLE[provider](raw), provider)
    assert mail.made_id
    assert mail.external_id == from_mailbox(raw.replace(b"\n", b"\r\n")).external_id


def test_a_mail_without_a_date_was_received_when_it_was_delivered() -> None:
    given = [["From", "ana@example.org"], ["Message-ID", "<d@example.org>"]]
    parts = [
        field("message-headers", json.dumps([*given, ["Date", "Sat, 1 Jun 2024 11:59 +0000"]]))
    ]
    mail = one(form_delivery([*parts, field("body-plain", "Hi")]), "mailgun")
    assert (mail.sent, mail.received) == (datetime(2024, 6, 1, 11, 59, tzinfo=UTC), RECEIVED)


def sendgrid_form(*files: Any, boundary: str = "xYzZY", **about: Any) -> Delivery:
    parts = [field("headers", HEADER), field("text", "See"), *files]
    parts.append(field("attachment-info", json.dumps(about)))
    return form_delivery(parts, boundary=boundary)


@pytest.mark.parametrize(
    ("name", "type_", "content", "expected"),
    [
        ("a.bin", "application/octet-stream", PIXEL, ("a.bin", "application/octet-stream")),
        ("a.txt", "text/plain", b"\r\n--xYzZY-\r\n", ("a.txt", "text/plain")),
        ("a.txt", "text/plain", b"ends\r\n", ("a.txt", "text/plain")),
        ("a.txt", "text/plain", b"ends\r", ("a.txt", "text/plain")),
        ("a.txt", "text/plain; charset=utf-16", b"\xff\xfea\x00", ("a.txt", "text/plain")),
        ("märz.csv", "text/csv", b"1;2\n", ("märz.csv", "text/csv")),
        (r"\share\mail\told.pdf", "application/pdf", b"%PDF", ("told.pdf", "application/pdf")),
        (r"C:\scan\\", "application/pdf", b"%PDF", ("attachment-1.pdf", "application/pdf")),
        (r"a \"b\".pdf", "application/pdf", b"%PDF", ("a _b_.pdf", "application/pdf")),
        ("a %22b%22.pdf", "application/pdf", b"%PDF", ("a _b_.pdf", "application/pdf")),
        ("", "image/png", b"\x89PNG", ("attachment-1.png", "image/png")),
        ("a.png", "", b"\x89PNG", ("a.png", "application/octet-stream")),
        ("m.eml", "message/rfc822", b"From: a@example.org\n\nHi\n", ("m.eml", "message/rfc822")),
        # A form's part is never taken apart itself, or its bytes would be gone.
        (
            "m.mht",
            'multipart/related; boundary="q"',
            b"--q\r\n\r\nHi\r\n--q--\r\n",
            ("m.mht", "application/octet-stream"),
        ),
    ],
)
@pytest.mark.parametrize("boundary", ["xYzZY", "----formdata-0", "a b:c=d?e'(f)+/,_."])
def test_files_are_kept_byte_for_byte(
    name: str, type_: str, content: bytes, expected: tuple[str, str], boundary: str
) -> None:
    mail = one(
        sendgrid_form(file("attachment1", name, type_, content), boundary=boundary), "sendgrid"
    )
    (attached,) = mail.attachments
    assert (attached.filename, attached.content_type) == expected
    assert attached.content == content


def test_a_file_may_come_as_a_field() -> None:
    nameless = ("attachment2", b"\x00\xff", "", "Content-Type: image/jpeg\r\n")
    first = file("attachment1", "a.txt", "text/plain", b"a")
    tenth = file("attachment10", "j.txt", "text/plain", b"j")
    about = {"attachment2": {"type": "image/jpeg", "filename": "b.jpg", "content-id": "<b@x>"}}
    mail = one(sendgrid_form(tenth, nameless, first, **about), "sendgrid")
    assert [(one.filename, one.content) for one in mail.attachments] == [
        ("a.txt", b"a"),
        ("b.jpg", b"\x00\xff"),
        ("j.txt", b"j"),
    ]


@pytest.mark.parametrize(
    ("charset", "content", "text", "noted"),
    [
        ("UTF-8", "für".encode(), "für", False),
        ("iso-8859-1", b"f\xfcr \x80 5", "für € 5", False),
        ("Shift_JIS", "薬".encode("cp932"), "薬", False),
        ("", b"f\xfcr", "für", True),
        ("utf-8", b"f\xfcr", "für", True),
        ("x-nobody-knows", "für".encode(), "für", True),
        ('utf-8"; name="x', "für".encode(), "für", True),
        (None, "für".encode(), "für", False),
    ],
)
def test_texts_in_any_charset(charset: Any, content: bytes, text: str, noted: bool) -> None:
    parts = [field("headers", HEADER), field("text", content)]
    mail = one(
        form_delivery([*parts, field("charsets", json.dumps({"text": charset}))]), "sendgrid"
    )
    assert mail.text == text
    assert any("charset" in note for note in mail.notes) is noted


def test_a_header_in_raw_bytes() -> None:
    header = HEADER.encode().replace(b"=?utf-8?q?R=C3=BCckfrage?=", b"R\xfcckfrage")
    mail = one(form_delivery([field("headers", header), field("text", "Hi")]), "sendgrid")
    assert mail.subject == "Rückfrage zum Rezept"


def test_a_form_that_is_url_encoded() -> None:
    parts = "&".join(f"{name}={value}" for name, value in signature().items())
    pairs = "%5B%5B%22From%22%2C%22ana%40example.org%22%5D%2C%5B%22Date%22%2C%22Sat%2C+1+Jun+2024"
    body = f"{parts}&message-headers={pairs}+11%3A00+%2B0000%22%5D%5D&body-plain=f%C3%BCr+%0D%0Aihn"
    given = delivery("application/x-www-form-urlencoded", body.encode())
    assert LIVE.verify(given, account("mailgun")) is None  # type: ignore[union-attr]
    assert one(given, "mailgun").text == "für \nihn"


def test_postmark_tells_the_name_beside_the_address() -> None:
    said = {
        "From": "ana@example.org",
        "FromFull": {"Email": "ana@example.org", "Name": 'Ana "Annie" Prado, MD'},
        "To": "care@clinic.example.org",
        "ReplyTo": "other@example.org",
        "Date": "Sat, 1 Jun 2024 11:00:00 +0000",
        "Headers": [{"Name": "Message-ID", "Value": "<p@example.org>"}, {"Name": "", "Value": "x"}],
        "TextBody": "Half a face \ud83d and a whole one \U0001f642",
        "Attachments": [
            {"Name": "a.txt", "ContentType": "text/plain", "Content": "aGVsbG8="},
            {"Name": "b.txt", "ContentType": "text/plain", "Data": "Yg=="},
            {"Name": "c.bin", "ContentType": "x/y", "Content": "aGVs*bG8"},
        ],
    }
    mail = one(delivery("application/json", json.dumps(said).encode()), "postmark")
    assert mail.sender.display == 'Ana "Annie" Prado, MD'
    assert mail.text == "Half a face \ufffd and a whole one \U0001f642"
    assert [one.content for one in mail.attachments] == [b"hello", b"b", b"hello"]
    assert any("base64 is damaged" in note for note in mail.notes)


AUTOMATIC = {
    "reply": ("Auto-Submitted: auto-replied\n", "an automatic reply"),
    "autoreply": ("X-Autoreply: yes\n", "an automatic reply"),
    # The mail names one that it answers.
    "sent": ("Auto-Submitted: auto-generated\n", "an automatic reply"),
}


@pytest.mark.parametrize("way", [APART, WHOLE], ids=["apart", "whole"])
@pytest.mark.parametrize("provider", APART)
@pytest.mark.parametrize(("fields", "note"), AUTOMATIC.values(), ids=AUTOMATIC)
def test_what_nobody_typed_is_noted(provider: str, fields: str, note: str, way: Any) -> None:
    mail = one(way[provider]((HEADER + fields).encode() + BODIES["plain"]), provider)
    assert note in mail.notes


BOUNCE = b"""\
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r
Content-Type: text/plain; charset=utf-8

Nobody has that address.
--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; gone@example.org
Action: failed
Status: 5.1.1
--r
Content-Type: text/rfc822-headers

Message-ID: <sent-1@clinic.example.org>
Subject: Your results
--r--
"""


@pytest.mark.parametrize("way", [APART, WHOLE], ids=["apart", "whole"])
@pytest.mark.parametrize("provider", APART)
def test_a_report_of_a_mail_server_is_set_aside(provider: str, way: Any) -> None:
    header = HEADER.replace('"Ana Prado" <ana@example.org>', "MAILER-DAEMON@mx.example.org")
    broken, *told = heard(way[provider](header.encode() + BOUNCE), provider)
    assert isinstance(broken, Broken)
    assert broken.set_aside
    # What it says of the mail is told beside it, where its parts are there.
    assert [one.external_id for one in told] == (
        ["sent-1@clinic.example.org"] if way is WHOLE else []
    )
    assert "delivery report" in broken.reason


def test_a_report_is_known_by_its_kind_whoever_sends_it() -> None:
    for make in (sendgrid, mailgun):
        broken = one(make(HEADER.encode() + BOUNCE), make.__name__)
        assert (type(broken), broken.set_aside) == (Broken, True)


EVENT = {"event": "delivered", "timestamp": 1717240000.25, "recipient": "ana@example.org"}
ID = {"message": {"headers": {"message-id": "sent-1@clinic.example.org"}}}
TOLD = datetime(2024, 6, 1, 11, 6, 40, 250000, tzinfo=UTC)
ANA = Address(AddressKind.EMAIL, "ana@example.org")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({**EVENT, **ID}, (State.DELIVERED, TOLD, "")),
        ({**EVENT, **ID, "event": "opened"}, (State.READ, TOLD, "")),
        ({**EVENT, **ID, "event": "accepted"}, (State.QUEUED, TOLD, "")),
        (
            {**EVENT, **ID, "event": "failed", "delivery-status": {"code": 550}},
            (State.FAILED, TOLD, "550"),
        ),
        ({**EVENT, **ID, "timestamp": "soon"}, (State.DELIVERED, RECEIVED, "")),
        ({**EVENT, **ID, "timestamp": 1e300}, (State.DELIVERED, RECEIVED, "")),
        ({**EVENT, **ID, "timestamp": -1}, (State.DELIVERED, RECEIVED, "")),
        ({**EVENT, **ID, "event": "failed", "severity": "temporary"}, None),
        ({**EVENT, **ID, "event": "clicked"}, None),
        (EVENT, None),
        ({**EVENT, "message": []}, None),
        ("event", None),
    ],
)
def test_events_of_mails_that_were_sent(event: Any, expected: Any) -> None:
    body = json.dumps({"signature": signature(), "event-data": event}).encode()
    given = delivery("application/json", body)
    assert LIVE.verify(given, account("mailgun")) is None  # type: ignore[union-attr]
    found = one(given, "mailgun")
    if expected is None:
        assert isinstance(found, Broken)
        assert found.set_aside is isinstance(event, dict)
    else:
        assert found == Status("email", "sent-1@clinic.example.org", *expected, recipient=ANA)


def test_events_of_the_older_webhooks() -> None:
    said = {"event": "bounced", "Message-Id": "<sent-1@clinic.example.org>", "code": "550"}
    said |= {"recipient": "ana@example.org", "timestamp": "1717240000"}
    found = one(form_delivery([field(*pair) for pair in said.items()]), "mailgun")
    at = TOLD.replace(microsecond=0)
    assert found == Status("email", "sent-1@clinic.example.org", State.FAILED, at, "550", ANA)


def test_a_file_that_mailgun_keeps_is_named() -> None:
    kept = [{"name": "scan.pdf", "content-type": "application/pdf", "url": "https://x.example/1"}]
    given = mailgun(HEADER.encode() + BODIES["plain"])
    more = form([field("attachments", json.dumps(kept))])
    mail = one(replace(given, body=given.body.removesuffix(b"--xYzZY--\r\n") + more), "mailgun")
    (attached,) = mail.attachments
    assert (attached.filename, attached.content) == ("scan.pdf", None)
    assert "kept by Mailgun" in attached.note


def good(provider: str) -> Delivery:
    raw = HEADER.encode() + BODIES["plain"]
    made = APART[provider](raw)
    if provider == "mailgun":
        return made
    return replace(made, headers={**made.headers, "authorization": basic()})


def signed_with(**said: Any) -> Delivery:
    body = json.dumps({"signature": said, "event-data": {}}).encode()
    return delivery("application/json", body)


@pytest.mark.parametrize("provider", APART)
def test_what_the_provider_sends_is_believed(provider: str) -> None:
    assert LIVE.verify(good(provider), account(provider)) is None  # type: ignore[union-attr]
    assert LIVE.verify(good(provider), account(provider.upper())) is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "values", "said"),
    [
        (good("mailgun"), {"signing-key": ""}, "no signing key"),
        (good("mailgun"), {"signing-key": "another"}, "not one by"),
        (good("mailgun"), {"provider": "sendgrid"}, "not those"),
        (good("sendgrid"), {"provider": "mailgun"}, "no signature"),
        (good("sendgrid"), {"provider": "pigeon"}, "none of sendgrid"),
        (good("sendgrid"), {"password": ""}, "no user and password"),
        (good("postmark"), {"user": ""}, "no user and password"),
        (good("postmark"), {"password": "other"}, "not those"),
        (good("postmark"), {"user": "hook:of", "password": "ours"}, "not those"),
        (delivery("text/plain", b"x"), {"provider": "mailgun"}, "no signature"),
        (delivery("application/json", b"["), {"provider": "mailgun"}, "no signature"),
        (signed_with(), {"provider": "mailgun"}, "no signature"),
        (signed_with(**signature(), extra=1), {"provider": "mailgun"}, ""),
        (signed_with(**{**signature(), "timestamp": "1717243201"}), {"provider": "mailgun"}, "not"),
        (signed_with(**{**signature(), "signature": "\ud800ü"}), {"provider": "mailgun"}, "not"),
        (signed_with(**{**signature(), "token": ["\udfff"]}), {"provider": "mailgun"}, "not"),
        *(
            (delivery("application/json", b"{}", authorization=value), {}, "not those")
            for value in (
                "",
                "Basic",
                "Basic ",
                "Basic ????",
                "Basic \xff\xfe",
                "Bearer " + basic()[6:],
                basic("hook", "of-our"),
                basic("hook", ""),
                basic("", ""),
                basic()[:-1],
            )
        ),
    ],
)
def test_what_the_provider_did_not_send_is_refused(
    given: Delivery, values: dict[str, str], said: str
) -> None:
    provider = values.pop("provider", "mailgun" if b"signature" in given.body else "postmark")
    refused = LIVE.verify(given, account(provider, **values))  # type: ignore[union-attr]
    if not said:
        assert refused is None
        return
    assert refused is not None
    assert said in refused.reason


@pytest.mark.parametrize(
    ("provider", "given", "said"),
    [
        ("sendgrid", delivery("application/json", b"{}"), "no event"),
        ("sendgrid", delivery("text/plain", b"Hi"), "no form"),
        ("sendgrid", form_delivery([field("from", "ana@example.org")]), "neither"),
        ("sendgrid", delivery("multipart/form-data", b"--x\r\n"), "ends before"),
        ("sendgrid", form_delivery([field("headers", HEADER)], end=""), "ends before"),
        ("sendgrid", form_delivery([field("headers", "Subject: Hi\n")]), "no sender"),
        ("sendgrid", form_delivery([field("email", b"\n")]), "no header"),
        ("mailgun", delivery("text/plain", b"Hi"), "neither a form nor JSON"),
        ("mailgun", form_delivery([field("message-headers", "[")]), "neither"),
        ("mailgun", form_delivery([field("message-headers", '{"a": 1}')]), "neither"),
        ("mailgun", form_delivery([field("message-headers", '[["From"], 5]')]), "neither"),
        ("mailgun", form_delivery([field("message-headers", "[" * 100_000)]), "neither"),
        ("mailgun", form_delivery([field("body-mime", b"From: a@example.org")], end=""), "ends"),
        ("postmark", delivery("application/json", b"[]"), "no JSON object"),
        ("postmark", delivery("application/json", b'{"From": '), "no JSON object"),
        ("postmark", delivery("application/json", b"{}"), "neither"),
        ("postmark", delivery("application/json", b'{"Headers": 5, "Attachments": 5}'), "neither"),
        ("postmark", delivery("application/json", b'{"From": "ana@example.org"}'), "no date"),
    ],
)
def test_what_cannot_be_read_is_kept_whole(provider: str, given: Delivery, said: str) -> None:
    broken = one(given, provider)
    assert isinstance(broken, Broken)
    assert said in broken.reason
    assert not broken.set_aside
    assert broken.content


def test_what_postmark_says_is_a_mail_is_one() -> None:
    body = json.dumps({"RecordType": "Inbound", "RawEmail": HEADER + "\nHi\n"}).encode()
    assert one(delivery("application/json", body), "postmark").text == "Hi"


@pytest.mark.parametrize("provider", APART)
def test_a_delivery_cut_anywhere_stops_nothing(provider: str) -> None:
    whole = APART[provider](HEADER.encode() + BODIES["files"])
    for at in range(0, len(whole.body), 7):
        found = one(replace(whole, body=whole.body[:at]), provider)
        assert isinstance(found, Broken), at
