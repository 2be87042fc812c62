"""Replies as mails: what every mail program reads in them, and what nobody can put into them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.calls.submission import Security, Submission
from threadwell.channels.account import Account
from threadwell.channels.email.compose import compose, message_id
from threadwell.channels.email.hooks.live import LIVE
from threadwell.channels.email.mail import read_mail
from threadwell.channels.email.subjects import answering
from threadwell.channels.sending import Failed, Outbound
from threadwell.messages import Address, AddressKind, Attachment, Message
from threadwell.messages.automatic import AUTOMATIC_REPLY
from threadwell.zones import UTC_ZONE

CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")
ANA = Address(AddressKind.EMAIL, "ana@example.org", "Ana Prado")
BEA = Address(AddressKind.EMAIL, "bea@example.org")
AT = datetime(2026, 3, 2, 9, 30, 15, 250_000, UTC)
OUTLOOK = "DM6PR11MB4500" + "A1B2C3D4" * 6 + "@DM6PR11MB4500.namprd11.prod.outlook.example.com"


def outbound(**more: Any) -> Outbound:
    usual = Outbound(
        *("reply:1", CARE, (ANA,), "m1@example.org", "Three it is.", AT),
        answers="m1@example.org",
        subject="Re: Tomorrow",
        references=("m0@example.org", "m1@example.org"),
        written=AT,
    )
    return replace(usual, **more)


def parsed(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


def read(raw: bytes) -> Message:
    found = read_mail(raw, "here", UTC_ZONE, AT)
    assert isinstance(found, Message)
    return found


def is_sendable(raw: bytes) -> None:
    """RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6, and no more than ASCII."""
    assert raw.isascii()
    assert b"\0" not in raw
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_what_nobody_wrote_at_that_moment_says_so() -> None:
    raw = compose(outbound(automatic=True), "Elm Street Practice")
    is_sendable(raw)
    assert b"\r\nAuto-Submitted: auto-replied\r\n" in raw
    assert AUTOMATIC_REPLY in read(raw).notes


def test_a_reply() -> None:
    raw = compose(outbound(), "Elm Street Practice")
    is_sendable(raw)
    own = message_id("reply:1", CARE)
    assert raw.split(b"\r\n\r\n")[0].decode().split("\r\n") == [
        "Date: Mon, 02 Mar 2026 09:30:15 +0000",
        "From: Elm Street Practice",
        " <care@clinic.example.org>",
        "To: ana@example.org",
        "Subject: Re: Tomorrow",
        f"Message-ID: <{own}>",
        "In-Reply-To: <m1@example.org>",
        "References: <m0@example.org>",
        " <m1@example.org>",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
    ]
    assert compose(outbound(since=datetime(2027, 1, 1, tzinfo=UTC)), "Elm Street Practice") == raw
    message = read(raw)
    assert (message.external_id, message.text.strip()) == (own, "Three it is.")
    assert (message.sender.value, message.sender.display) == (CARE.value, "Elm Street Practice")
    assert message.references == ("m0@example.org", "m1@example.org")
    assert message.in_reply_to == "m1@example.org"
    assert message.sent == AT.replace(microsecond=0)
    assert own != message_id("reply:2", CARE)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=90)


@given(subject=TEXTS, name=TEXTS, text=TEXTS, filename=TEXTS)
def test_whatever_is_written_arrives(subject: str, name: str, text: str, filename: str) -> None:
    file = Attachment(filename, "application/pdf", b"%PDF\r\n.\r\n\xff\0")
    raw = compose(outbound(subject=subject, text=text, attached=(file,)), name)
    is_sendable(raw)
    mail = parsed(raw)
    # A field that was put in would be one more.
    wanted = "Date From To Subject Message-ID In-Reply-To References MIME-Version Content-Type"
    assert sorted(mail.keys()) == sorted(wanted.split())
    [sender] = mail["From"].addresses
    assert sender.addr_spec == CARE.value
    assert plain(sender.display_name) == plain(name)
    assert plain(mail["Subject"]) == plain(subject)
    message = read(raw)
    assert plain(message.subject) == plain(subject)
    assert plain(message.text) == plain(text)
    [attached] = message.attachments
    assert attached.content == file.content
    # What this one would call the file in a folder is another matter.
    [part] = mail.iter_attachments()
    wanted_name = plain(filename.replace("/", "_").replace("\\", "_")[-120:])
    assert plain(str(part.get_filename())) in (wanted_name, wanted_name or "file-1")


def plain(text: str) -> str:
    """Without what no mail program keeps: white space, and what is not seen."""
    return "".join(one for one in text if one.isprintable() and not one.isspace())


@pytest.mark.parametrize(
    ("references", "answers", "wanted"),
    [
        ((), "", None),
        ((OUTLOOK,), OUTLOOK, [OUTLOOK]),
        (("a b@x", "c@x>\r\nBcc: <eve@example.org", "d@x", "é@x"), "d@x", ["d@x"]),
        # What was never a mail's own id is not named.
        (("reply:7", "0a" * 20 + "@threadwell.invalid", "d@x"), "reply:7", ["d@x"]),
        ((), "d@x", ["d@x"]),
        (tuple(f"m{n}@x" for n in range(50)), "m49@x", [0, *range(31, 50)]),
    ],
    ids=["first", "long", "bad", "ours", "answer-only", "many"],
)
def test_what_it_answers(references: Any, answers: str, wanted: Any) -> None:
    raw = compose(outbound(references=references, answers=answers), "")
    is_sendable(raw)
    if wanted is None:
        assert b"References" not in raw
        assert b"In-Reply-To" not in raw
        return
    ids = [f"m{one}@x" if isinstance(one, int) else one for one in wanted]
    fields = message_from_bytes(raw)
    assert str(fields["References"]).split() == [f"<{one}>" for one in ids]
    assert fields["In-Reply-To"] == f"<{answers if answers in ids else ids[-1]}>"
    assert "=?" not in raw.decode().partition("\r\n\r\n")[0]


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("Tomorrow", "Re: Tomorrow"),
        ("Re: Tomorrow", "Re: Tomorrow"),
        ("RE: AW: Re[2]: SV: Tomorrow", "Re: Tomorrow"),
        ("回复:预约", "Re: 预约"),
        ("Fwd: Tomorrow", "Re: Fwd: Tomorrow"),
        ("Review: my knee", "Re: Review: my knee"),
        ("", "Re:"),
        ("Re:", "Re:"),
        (" a\r\n b ", "Re: a b"),
    ],
)
def test_one_re(subject: str, wanted: str) -> None:
    assert answering(subject) == wanted
    assert answering(wanted) == wanted


@pytest.mark.parametrize(
    ("type_", "wanted"),
    [
        ("image/png", "image/png"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("image/png\r\nX: y", "application/octet-stream"),
    ],
)
def test_files(type_: str, wanted: str) -> None:
    files = (
        Attachment('Befund März "1".bin', type_, b"\r\n\xff"),
        Attachment("", "image/png", b""),
        Attachment("../../etc/" + "ä" * 300 + ".txt", "text/plain", b"x" * 1000),
    )
    raw = compose(outbound(text="", attached=files), "")
    is_sendable(raw)
    parts = list(parsed(raw).iter_parts())
    assert [part.get_content_type() for part in parts] == [wanted, "image/png", "text/plain"]
    assert parts[0].get_filename() == 'Befund März "1".bin'
    assert parts[1].get_filename() == "file-2"
    assert parts[2].get_filename() == "ä" * 116 + ".txt"
    assert [part.get_payload(decode=True) for part in parts] == [one.content for one in files]


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"smtp-host": "smtp.example.org"}, ("smtp.example.org", 587, Security.STARTTLS)),
        ({"smtp-host": "smtp.example.org:465"}, ("smtp.example.org", 465, Security.TLS)),
        ({"smtp-host": "relay:25", "smtp-tls": "no"}, ("relay", 25, Security.NONE)),
        ({"smtp-host": "h:2525", "smtp-tls": "YES"}, ("h", 2525, Security.TLS)),
    ],
)
def test_the_server_of_an_account(values: dict[str, str], place: Any) -> None:
    account = Account("mail", "email", (CARE,), {"provider": "smtp", **values}, ("relay",))
    assert LIVE.lacks(account) == ""
    assert LIVE.send is not None
    step = LIVE.send(outbound(recipients=(ANA, BEA)), account, None)
    assert isinstance(step, Submission)
    assert (step.host, step.port, step.security) == place
    assert (step.sender, step.recipients) == (CARE.value, (ANA.value, BEA.value))
    assert step.id == message_id("reply:1", CARE)
    assert step.hosts == ("relay",)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "needs smtp-host"),
        ({"smtp-host": ":25"}, "smtp-host is a host"),
        ({"smtp-host": "h:x"}, "smtp-host is a host"),
        ({"smtp-host": "h:70000"}, "smtp-host is a host"),
        ({"smtp-host": "h", "smtp-tls": "maybe"}, "one of starttls, yes, no"),
        ({"smtp-host": "h", "smtp-user": "u"}, "smtp-password or smtp-token"),
    ],
)
def test_an_account_that_cannot_send(values: dict[str, str], reason: str) -> None:
    account = Account("mail", "email", (CARE,), {"provider": "smtp", **values})
    assert reason in LIVE.lacks(account)
    assert LIVE.send is not None
    assert isinstance(LIVE.send(outbound(), account, None), Failed)


def test_what_no_mail_can_be(monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.channels.email.sending._MOST_BYTES", 1_000_000)
    account = Account("mail", "email", (CARE,), {"smtp-host": "h"})
    phone = Address(AddressKind.PHONE, "+12125550121")
    large = Attachment("scan.tif", "image/tiff", b"x" * 800_000)
    assert LIVE.send is not None
    for out in (outbound(recipients=(phone,)), outbound(own=phone), outbound(recipients=())):
        assert LIVE.send(out, account, None) == Failed(
            "only a mail address can be written to from a mail address"
        )
    assert LIVE.send(outbound(attached=(large,)), account, None) == Failed(
        "with its files it is larger than 1 MB"
    )
