"""Whole mails: every field of the message, and why some are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels.email import automatic, dates, mail, sender, state
from threadwell.channels.email.identifiers import GMAIL_NUMBER, NO_MESSAGE_ID
from threadwell.channels.email.mail import read_mail
from threadwell.channels.email.state import Kept
from threadwell.messages import Address, AddressKind, Broken, Message

ANA = Address(AddressKind.EMAIL, "ana@example.org", "Ana Prado")
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")
BEN = Address(AddressKind.EMAIL, "ben@example.org", "Ben Li")
OCTETS = "application/octet-stream"
NINE = datetime(2024, 4, 10, 7, 0, tzinfo=UTC)


def test_every_field(read) -> None:
    message = read(
        "Yes\n\nOn 10 Apr 2024, Clinic wrote:\n> Shall we?\n",
        Cc="Ben Li <ben@example.org>",
        Subject="=?utf-8?q?Re=3A_R=C3=B6ntgen?=",
        References="<root@clinic.example.org>\n <mid@example.org>",
        In_Reply_To="<mid@example.org>",
        Received="by mx.clinic.example.org; Wed, 10 Apr 2024 07:00:05 +0000",
    )
    assert message == Message(
        channel="email",
        external_id="one@example.org",
        sender=ANA,
        recipients=(CARE, BEN),
        sent=NINE,
        text="Yes\n\nOn 10 Apr 2024, Clinic wrote:\n> Shall we?",
        new_text="Yes",
        received=NINE + timedelta(seconds=5),
        subject="Re: Röntgen",
        references=("root@clinic.example.org", "mid@example.org"),
        in_reply_to="mid@example.org",
    )


def test_in_reply_to_comes_last_among_the_references(read) -> None:
    message = read(References="<a@x>", In_Reply_To="<b@x>; from Ben Li")
    assert (message.references, message.in_reply_to) == (("a@x", "b@x"), "b@x")


def test_neither_itself_nor_a_person_is_a_reference(read) -> None:
    message = read(
        References="<one@example.org> <a@x> <Care@clinic.example.org>",
        In_Reply_To="<ana@example.org>",
    )
    assert (message.references, message.in_reply_to) == (("a@x",), "")


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ({"Date": None, "Received": "by x; Wed, 10 Apr 2024 07:00 +0000"}, (dates.FROM_RECEIVED,)),
        ({"Date": "Wed, 10 Apr 2024 03:00:00"}, (dates.NO_ZONE,)),
        ({"Message_ID": None}, (NO_MESSAGE_ID,)),
        ({"From": "Ana <ana@example.org>, ben@example.org"}, (sender.SEVERAL_SENDERS,)),
        ({"From": None, "Sender": "ana@example.org"}, (sender.SENDER_ELSEWHERE,)),
        ({"From": "nobody at all", "Reply-To": "ana@example.org"}, (sender.SENDER_ELSEWHERE,)),
        ({"Auto-Submitted": "auto-replied"}, (automatic.AUTOMATIC_REPLY,)),
        ({"X-Autoreply": "yes"}, (automatic.AUTOMATIC_REPLY,)),
        ({"Precedence": "auto_reply"}, (automatic.AUTOMATIC_REPLY,)),
        ({"Auto-Submitted": "auto-generated; x=y"}, (automatic.AUTOMATIC,)),
        ({"Auto-Submitted": "no"}, ()),
        ({"X-Mozilla-Status": "0009"}, (state.MARKED_DELETED,)),
        ({"X-Mozilla-Status": "0001"}, ()),
        ({"X-Mozilla-Status": "odd"}, ()),
    ],
)
def test_notes(read, fields: dict[str, str], notes: tuple[str, ...]) -> None:
    message = read(**fields)
    assert message.notes == notes
    assert (message.sender.value, message.sent) == ("ana@example.org", NINE)


def test_a_mail_without_text_or_file_is_a_message(read) -> None:
    message = read("\n \n")
    assert (message.text, message.new_text, message.notes) == ("", "", (mail.NO_TEXT,))


@pytest.mark.parametrize("kind", ["text/plain", "multipart/mixed; boundary=b"])
def test_a_made_id_is_the_same_for_each_copy(read, kind: str) -> None:
    def made(body: bytes, **fields: str) -> str:
        return read(body, Message_ID=None, **{"Content-Type": kind}, **fields).external_id

    text = b"--b\n\nHello\nFrom here on\n\n--b--\n"
    copy = text.replace(b"From", b">From").replace(b"\n", b"\r\n") + b"\r\n"

    assert made(copy, Received="by x; Wed, 10 Apr 2024 09:00:00 +0000") == made(text)
    assert made(text.replace(b"Hello", b"Hallo")) != made(text)


def test_mails_of_one_second_keep_their_own_ids(write) -> None:
    def made(from_line: str = "", **fields: str | None) -> str:
        raw = write("ok", Message_ID=None, **fields)
        message = read_mail(raw, "x", ZoneInfo("UTC"), NINE, kept=Kept(from_line=from_line))
        assert isinstance(message, Message)
        return message.external_id

    line = "From 1500000000000000011@xxx Wed Apr 10 09:00:00 +0000 2024"
    other = "From 1500000000000000012@xxx Wed Apr 10 09:00:00 +0000 2024"
    received = "by x; Wed, 10 Apr 2024 09:00:00 +0000"
    ids = [
        made(),
        made(To="ben@example.org"),
        made(Cc="ben@example.org"),
        made(Date=None, Received=received),
        made(Date=None, Received=received.replace("09", "10")),
        made("From ana@example.org Wed Apr 10 09:00:00 2024", Date=None),
        made("From ana@example.org Wed Apr 10 10:00:00 2024", Date=None),
        made(line, X_GM_THRID="1500000000000000009"),
        made(other, X_GM_THRID="1500000000000000009"),
    ]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("fields", "wall", "made"),
    [
        ({}, None, False),
        ({"Date": "Wed, 10 Apr 2024 09:00:00"}, NINE.replace(hour=9, tzinfo=None), False),
        ({"Message_ID": None}, None, True),
        ({"Message_ID": "<x@threadwell.invalid>"}, None, False),
    ],
)
def test_what_tells_copies_apart(read, fields: dict[str, str], wall: datetime, made: bool) -> None:
    message = read(**fields)
    assert (message.wall, message.made_id) == (wall, made)


def test_chats_of_gmail_make_one_thread(write) -> None:
    line = "From 15000000000000000{}@xxx Wed Apr 10 09:00:0{} +0000 2024"
    mails = [
        read_mail(
            write("ok", Message_ID=None, Date=None, To=None, X_GM_THRID="1500000000000000010"),
            "chats.mbox",
            ZoneInfo("America/New_York"),
            NINE,
            kept=Kept(from_line=line.format(number, number - 10)),
        )
        for number in (10, 11, 12)
    ]
    assert all(isinstance(mail, Message) for mail in mails)
    assert [mail.external_id.partition("@")[0][-2:] for mail in mails] == ["10", "11", "12"]
    assert [mail.references for mail in mails] == [
        (),
        (mails[0].external_id,),
        (mails[0].external_id,),
    ]
    assert [mail.sent.second for mail in mails] == [0, 1, 2]
    assert {mail.notes for mail in mails} == {(GMAIL_NUMBER, dates.FROM_LINE)}
    assert not any(mail.made_id for mail in mails)


REPORT = 'multipart/report; boundary=b; report-type="{}"'


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Date": None}, "has no date"),
        ({"Date": "soon"}, "has no date"),
        ({"From": None}, "has no sender"),
        ({"From": "<>"}, "has no sender"),
        ({"Content-Type": REPORT.format("delivery-status")}, automatic.DELIVERY_REPORT),
        ({"Content-Type": "multipart/report"}, automatic.DELIVERY_REPORT),
        ({"Content-Type": REPORT.format("disposition-notification")}, automatic.READ_RECEIPT),
        ({"From": "MAILER-DAEMON", "Return-Path": "<>"}, automatic.DELIVERY_REPORT),
        ({"From": "Mail System <postmaster@example.org>"}, automatic.DELIVERY_REPORT),
    ],
)
def test_no_message(write, refuse, fields: dict[str, str], reason: str) -> None:
    found = refuse(**fields)
    assert found == Broken(
        "email",
        "one.eml",
        reason,
        write(**fields),
        "message/rfc822",
        not reason.startswith("has no"),
    )


def test_a_postmaster_may_write(read) -> None:
    sender = "postmaster@example.org"
    assert read(From=sender, Return_Path=f"<{sender}>").sender.value == sender


@pytest.mark.parametrize("raw", [b"", b"\n", b"just text", b"\0\xff", b"Dear Ana\nFrom: me"])
def test_no_header(raw: bytes) -> None:
    broken = read_mail(raw, "x", ZoneInfo("UTC"), NINE)
    assert broken == Broken("email", "x", "has no header", raw, "message/rfc822")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda raw: raw.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda raw: raw.replace(b"\n", b"\r"), id="CR"),
        pytest.param(lambda raw: b"From ana@example.org Wed Apr 10 2024\n" + raw, id="From_ line"),
        pytest.param(lambda raw: raw.replace(b"To: ", b"TO : "), id="names"),
        pytest.param(lambda raw: raw.replace(b"To: ", b"to:"), id="no space"),
        pytest.param(lambda raw: raw.replace(b"<ana", b"\n\t<ana"), id="folded"),
        pytest.param(lambda raw: raw.replace(b"<ana", b"\n<ana"), id="folded without a space"),
        pytest.param(lambda raw: raw.replace(b"\n\n", b"\n", 1), id="no blank line"),
        pytest.param(lambda raw: b"\xef\xbb\xbf" + raw, id="byte order mark"),
        pytest.param(lambda raw: b"\r\n\n" + raw, id="blank lines first"),
    ],
)
def test_shapes_of_one_mail(write, read, change) -> None:
    message = read_mail(change(write("Hello there")), "one.eml", ZoneInfo("UTC"), NINE)
    assert isinstance(message, Message)
    assert replace(message, notes=()) == replace(read("Hello there"), notes=())


def test_raw_bytes_anywhere_become_text(read) -> None:
    odd = b"Ren\xe9e".decode("utf-8", "surrogateescape")
    message = read(
        From=f"{odd} <{odd}@example.org>",
        Message_ID=f"<{odd}@example.org>",
        References=f"<a.{odd}@example.org>",
        **{"Content-Type": f"{odd}/pdf; name={odd}.pdf"},
    )
    (attachment,) = message.attachments
    assert message.sender == Address(AddressKind.EMAIL, "renée@example.org", "Renée")
    assert message.external_id == "Renée@example.org"
    assert message.references == ("a.Renée@example.org",)
    assert (attachment.filename, attachment.content_type) == ("Renée.pdf", OCTETS)


HOSTILE = {
    "signatures": ("-- \n", {}),
    "introductions": ("On 1 May a@example.org wrote:\nx\n", {}),
    "introductions without an end": ("On 1 May <a@example.org\n", {}),
    "colons": ("a b c 1:\n", {}),
    "blocks": ("From: a\nTo: b\n\n", {}),
    "one block": ("To: a\nCc: b\n", {}),
    "marks": ("> a\nb\n", {}),
    "marks in marks": (">", {}),
    "dashes": ("-", {}),
    "underscores": ("_", {}),
    "flowed": ("word \n", {"Content-Type": "text/plain; format=flowed"}),
    "HTML in depth": ("<div><!-- ", {"Content-Type": "text/html"}),
    "links": ("<a href=http://example.org><div>", {"Content-Type": "text/html"}),
    "quotations in HTML": ("<blockquote>a", {"Content-Type": "text/html"}),
    "parts": ("--b\n", {"Content-Type": "multipart/mixed; boundary=b"}),
    "delimiters": ("--  ", {"Content-Type": "multipart/mixed"}),
    "padded pieces": ("YQ==\n", {"Content-Transfer-Encoding": "base64"}),
    "soft breaks": ("= ", {"Content-Transfer-Encoding": "quoted-printable"}),
    "words": ("=?utf-8?q?", "Subject"),
    "spaces": (" ", "Date"),
    "spaces and colons": (" 1: ", "Date"),
    "open comments": ("(", "Date"),
    "a date": ("Mar 5 ", "Date"),
    "a long name": ("a", "To"),
    "comments": ("(a", "To"),
    "closed comments": ("()", "To"),
    "brackets": ("<a", "To"),
    "quotes": ('\\"', "To"),
    "words in a list": ("=?a?q?", "To"),
    "recipients": ("Ana <ana@example.org>, ", "To"),
    "groups": ("a:;", "To"),
    "references": ("<a", "References"),
    "ids": ("<a@x> ", "References"),
    "parameters": (";x", "Content-Type"),
    "quoted parameters": (';x="\\', "Content-Type"),
    "labels": ('"a', "X-Gmail-Labels"),
    "lists": ("<a ", "List-Id"),
    "folded lines": ("\n a", "Subject"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_work_grows_with_size_only(read, steps, case: str) -> None:
    piece, where = HOSTILE[case]

    def work(pieces: int) -> int:
        if isinstance(where, dict):
            return steps(lambda: read(piece * pieces, **where))
        fields = {where: "a/b" * (where == "Content-Type") + piece * pieces}
        return steps(lambda: read_mail(write_fields(fields), "x", ZoneInfo("UTC"), NINE))

    # Twice the pieces are twice the steps at most, besides those that every mail takes.
    assert work(800) < 2.5 * work(400) + 500
    # What no step of Python shows: quadratic work below it takes minutes here.
    work_unseen(read, piece, where)


def write_fields(fields: dict[str, str]) -> bytes:
    usual = {"From": "ana@example.org", "Date": "Wed, 10 Apr 2024 09:00:00 +0200"}
    lines = (f"{name}: {value}\n" for name, value in (usual | fields).items())
    return f"{''.join(lines)}\nHello".encode()


def work_unseen(read, piece: str, where: dict[str, str] | str) -> None:
    pieces = 200_000 // len(piece)
    if isinstance(where, dict):
        message = read(piece * pieces, **where)
        assert message.external_id == "one@example.org"
    else:
        raw = write_fields({where: "a/b" * (where == "Content-Type") + piece * pieces})
        assert read_mail(raw, "x", ZoneInfo("UTC"), NINE).channel == "email"
