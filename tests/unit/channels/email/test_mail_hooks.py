"""Mails that providers deliver are the same messages as their copies in a mailbox."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.channels.email.hooks_stand_in import (
    CARE,
    RECEIVED,
    account,
    delivery,
    field,
    file,
    form_delivery,
    signature,
)
from tests.unit.channels.email.mail_hooks import APART, BODIES, HEADER, LIVE, PIXEL, WHOLE, one
from threadwell.channels.delivery import Delivery
from threadwell.channels.email.mail import read_mail
from threadwell.messages import Message
from threadwell.zones import UTC_ZONE

assert LIVE is not None


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
