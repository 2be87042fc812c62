"""The mail parser against the standard library's, and against anything at all."""

from __future__ import annotations

import base64
import email
import json
import quopri
from dataclasses import asdict
from datetime import UTC, datetime
from email.message import EmailMessage
from email.message import Message as StandardMessage
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from threadwell.channels.email.mail import read_mail
from threadwell.channels.email.mime import Part, parse
from threadwell.channels.email.reply import new_text
from threadwell.messages import Broken, Message

NOW = datetime(2024, 6, 1, tzinfo=UTC)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=90
)
LINES = st.lists(TEXT, max_size=6).map(lambda lines: "\n".join(lines) + "\n")


@st.composite
def mails(draw: st.DrawFn) -> EmailMessage:
    """A mail as the standard library writes it, with alternatives and attachments."""
    mail = EmailMessage()
    mail["From"] = "ana@example.org"
    mail["Date"] = "Wed, 10 Apr 2024 09:00:00 +0200"
    mail["Subject"] = draw(TEXT)
    mail["Message-ID"] = "<one@example.org>"
    mail.set_content(draw(LINES), cte=draw(st.sampled_from(["base64", "quoted-printable", "8bit"])))
    if draw(st.booleans()):
        mail.add_alternative(f"<p>{draw(LINES)}</p>", subtype="html")
    for content in draw(st.lists(st.binary(max_size=200), max_size=3)):
        mail.add_attachment(content, maintype="image", subtype="png", filename="a.png")
    return mail


@given(mails(), st.sampled_from([b"\n", b"\r\n"]))
@settings(deadline=None)
def test_parts_are_those_of_the_standard_library(mail: EmailMessage, ends: bytes) -> None:
    raw = mail.as_bytes().replace(b"\n", ends)
    assert _ours(parse(raw)) == _theirs(email.message_from_bytes(raw))


@given(mails())
@settings(deadline=None)
def test_what_was_written_is_read(mail: EmailMessage) -> None:
    message = read_mail(mail.as_bytes(), "x", ZoneInfo("UTC"), NOW)
    assert isinstance(message, Message)
    body = mail.get_body(("plain",))
    assert body is not None
    assume(body.get_content().strip())
    assert message.text.split() == body.get_content().split()
    assert message.subject == " ".join(str(mail["Subject"]).split())
    assert [file.content for file in message.attachments] == [
        part.get_content() for part in mail.iter_attachments()
    ]


SOUND = b"From: a@example.org\nDate: Wed, 10 Apr 2024 09:00:00 +0200\n"
NASTY = st.sampled_from(
    [
        *(
            b"From: a@example.org\n",
            b"Date: Wed, 10 Apr 2024 09:00:00 +0200\n",
            b"From:",
            b"Date: ",
        ),
        *(b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: text/html\n", b"--b\n"),
        *(
            b"Content-Transfer-Encoding: base64\n",
            b"charset*0*=''%",
            b"=?utf-8?b?",
            b"?=",
            b"--b--",
        ),
        *(b"Message-ID: <", b"References: <", b"To: ", b"Subject: ", b"Content-Type: im\xffage/"),
        *(b"Content-Type: text/plain; charset=utf-7\n", b"&#xD800;", b"\xed\xa0\x80"),
        *(b"Content-Type: message/rfc822\n", b"Content-Disposition: attachment; filename=", b"\n"),
        *(b"Content-Transfer-Encoding: x-uuencode\n", b"begin 644 x\n", b"\r", b"\xff\xfe", b"\0"),
        *(
            b"<",
            b">",
            b'"',
            b"(",
            b"\\",
            b":",
            b";",
            b"\n\n",
            b" ",
            b"\xff@x>",
            b"+2AA-",
            b"> ",
            b"-- \n",
            b"wrote:\n",
        ),
    ]
)


@given(st.booleans(), st.lists(st.one_of(NASTY, st.binary(max_size=8)), max_size=30))
@settings(deadline=None, max_examples=400)
def test_any_bytes_are_a_message_or_kept_whole(sound: bool, pieces: list[bytes]) -> None:
    raw = (SOUND if sound else b"") + b"".join(pieces)
    found = read_mail(raw, "x", ZoneInfo("UTC"), NOW)
    json.dumps(asdict(found), ensure_ascii=False, default=str).encode()
    if isinstance(found, Broken):
        assert found.content == raw
        assert not found.reason.startswith("cannot be read")


@given(st.lists(TEXT, max_size=8), st.booleans())
def test_text_without_marks_is_all_new(lines: list[str], answers: bool) -> None:
    plain = "\n".join(line for line in lines if not line.strip().startswith((">", "-")))
    if not any(mark in plain for mark in (":", "：")):
        assert new_text(plain, answers=answers) == plain


def _ours(part: Part) -> list[tuple[str, bytes]]:
    if part.parts:
        return [leaf for child in part.parts for leaf in _ours(child)]
    decode = {"base64": base64.b64decode, "quoted-printable": quopri.decodestring}
    encoding = part.get("content-transfer-encoding")
    return [(part.type, decode[encoding](part.body) if encoding in decode else part.body)]


def _theirs(message: StandardMessage) -> list[tuple[str, bytes]]:
    return [
        (part.get_content_type(), part.get_payload(decode=True))
        for part in message.walk()
        if not part.is_multipart()
    ]
