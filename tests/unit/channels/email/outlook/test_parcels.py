"""Mails of which Outlook has packed the text and the files into ``winmail.dat``."""

from __future__ import annotations

import struct
from base64 import encodebytes
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from compressed_rtf import compress

from tests.unit.channels.email.parcels import BODY, CLASS, SUBJECT, Parcel, packed
from threadwell.channels.email.body import DAMAGED_PARCEL
from threadwell.channels.email.mail import NO_TEXT, read_mail
from threadwell.messages import Message

_ZONE = ZoneInfo("America/New_York")
_NOW = datetime(2026, 3, 2, tzinfo=UTC)
_TEXT, _RICH, _HTML, _HTML_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_LONG_NAME, _TYPE, _LONG_SUBJECT = 0x3707, 0x370E, 0x0037
_NOTE = {CLASS: "IPM.Microsoft Mail.Note"}
_RTF = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}\f0 Caf\'e9 at nine\par}"
_STRUCK = rb"{\rtf1\ansi {\strike 10 mg} 5 mg}"
_SCAN = ("SCAN~1.PDF", b"%PDF-1.4 scan", {_LONG_NAME: "Scan of Tuesday.pdf", _TYPE: "x/pdf"})


def read(content: bytes, text: str | None = None, name: str = "winmail.dat") -> Message:
    """The message of a mail with that file, beside that text."""
    kind = "application/ms-tnef" if name == "winmail.dat" else "application/octet-stream"
    file = (
        f'Content-Type: {kind}; name="{name}"\nContent-Disposition: attachment; '
        f'filename="{name}"\nContent-Transfer-Encoding: base64\n\n'
    ).encode() + encodebytes(content)
    head = (
        b"From: ana@family.example\nTo: care@clinic.example\nSubject: Refill\n"
        b"Date: Mon, 02 Mar 2026 09:30:05 -0500\nMessage-ID: <1@family.example>\n"
    )
    parts = b"".join(
        b"--b\n" + part for part in ([] if text is None else [f"\n{text}\n".encode()]) + [file]
    )
    raw = head + b"Content-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n"
    found = read_mail(raw, "one.eml", _ZONE, _NOW)
    assert isinstance(found, Message), found
    return found


@pytest.mark.parametrize(
    ("parcel", "text", "said", "files"),
    [
        (Parcel({_TEXT: "Three times a day"}), None, "Three times a day", []),
        (Parcel(texts={BODY: "Café at nine"}), None, "Café at nine", []),
        (Parcel(texts={BODY: "Кафе"}, code_page=1251), None, "Кафе", []),
        (Parcel({_RICH: compress(_RTF)}), None, "Café at nine", []),
        (Parcel({_HTML: "<p>Café</p>".encode("cp1252"), _HTML_PAGE: 1252}), None, "Café", []),
        (Parcel({_TEXT: "In the file"}), "In the mail", "In the mail", []),
        (Parcel({_RICH: compress(_STRUCK)}), None, "~~10 mg~~ 5 mg", []),
        (Parcel({_RICH: compress(_STRUCK)}), "10 mg 5 mg", "~~10 mg~~ 5 mg", []),
        (Parcel({_RICH: compress(_STRUCK)}), "*10 mg* 5 mg\n", "*~~10 mg~~* 5 mg", []),
        (Parcel({_HTML: b"<s>10 mg</s> 5 mg"}), "10 mg 5 mg", "~~10 mg~~ 5 mg", []),
        (Parcel({_TEXT: "In the file"}), "  ", "In the file", []),
        (
            Parcel({_TEXT: "See the scan"}, _NOTE, [_SCAN]),
            None,
            "See the scan",
            [("Scan of Tuesday.pdf", "x/pdf", b"%PDF-1.4 scan")],
        ),
        (
            Parcel({}, _NOTE, [("NOTE.TXT", b"short", {})]),
            "Here",
            "Here",
            [("NOTE.TXT", "application/octet-stream", b"short")],
        ),
    ],
)
def test_a_parcel_is_opened(
    parcel: Parcel, text: str | None, said: str, files: list[tuple[str, str, bytes]]
) -> None:
    message = read(packed(parcel), text)
    assert message.text == said
    assert [(one.filename, one.content_type, one.content) for one in message.attachments] == files
    assert NO_TEXT not in message.notes


def test_a_forwarded_mail_in_it_is_a_file() -> None:
    inner = Parcel({_TEXT: "As I said", _LONG_SUBJECT: "Before"}, _NOTE, [_SCAN])
    (file,) = read(packed(Parcel({_TEXT: "See"}, _NOTE, [("fw", inner, {})]))).attachments
    assert (file.filename, file.content_type) == ("fw.eml", "message/rfc822")
    assert file.content is not None
    assert b"Subject: Before" in file.content
    assert encodebytes(b"As I said").strip() in file.content
    assert b"Scan%20of%20Tuesday.pdf" in file.content


def test_named_and_repeated_values_stand_between() -> None:
    named = struct.pack("<HH16sII", 0x001F, 0x8001, b"s" * 16, 1, 6) + "abc".encode("utf-16-le")
    named += b"\0\0" + struct.pack("<II", 1, 4) + "ok".encode("utf-16-le")
    numbered = struct.pack("<HH16sIIHH", 0x000B, 0x8002, b"s" * 16, 0, 5, 1, 0)
    several = struct.pack("<HHIHHHH", 0x1002, 0x6001, 2, 1, 0, 2, 0)
    parcel = Parcel({_TEXT: "After them"}, extra=named + numbered + several, extra_count=3)
    assert read(packed(parcel)).text == "After them"


def test_an_appointment_keeps_its_file() -> None:
    parcel = Parcel({_TEXT: "Tuesday at 9"}, {CLASS: "IPM.Microsoft Schedule.MtgReq"})
    message = read(packed(parcel))
    assert message.text == "Tuesday at 9"
    assert [one.filename for one in message.attachments] == ["winmail.dat"]


@pytest.mark.parametrize("cut", [-1, -30, 60, 20])
def test_what_is_cut_off_is_kept_as_well(cut: int) -> None:
    whole = packed(Parcel({_TEXT: "Whole"}, {SUBJECT: "S"}, [_SCAN]))
    message = read(whole[:cut])
    assert message.attachments[-1].filename == "winmail.dat"
    assert message.attachments[-1].content == whole[:cut]
    assert DAMAGED_PARCEL in message.notes


@pytest.mark.parametrize("content", [b"", b"\x78\x9f", b"no parcel at all"])
def test_what_is_no_parcel_stays_a_file(content: bytes) -> None:
    message = read(content, "Here", "winmail.dat")
    assert message.text == "Here"
    assert DAMAGED_PARCEL not in message.notes


def test_a_file_of_another_type_is_known_by_its_name() -> None:
    assert read(packed(Parcel({_TEXT: "Hi"})), name="WINMAIL.DAT").text == "Hi"


def test_parcels_in_parcels_end() -> None:
    parcel = Parcel({_TEXT: "core"})
    for _ in range(60):
        parcel = Parcel({}, {}, [("in", parcel, {})])
    (file,) = read(packed(parcel), "Here").attachments
    assert file.filename == "in.eml"
