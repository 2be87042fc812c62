"""Mailbox files in all the ways that programs write them."""

from __future__ import annotations

from io import BytesIO

import pytest

from threadwell.channels.email.mbox import Boxed, is_mbox, lines_of, split

LINE = "From ana@example.org Wed Apr 10 09:00:00 2024"
OTHER = "From - Wed Apr 10 10:00:00 2024"
A = f"{LINE}\nSubject: a\n\nHello\n\n"
B = f"{OTHER}\nSubject: b\n\nBye\n"
BOTH = [(LINE, "Subject: a\n\nHello\n"), (OTHER, "Subject: b\n\nBye\n")]


@pytest.mark.parametrize(
    ("text", "mails"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("\n\n", [], id="blank"),
        pytest.param(A + B, BOTH, id="two"),
        pytest.param("\n" + A + "\n" + B, [(LINE, "Subject: a\n\nHello\n\n"), BOTH[1]], id="gaps"),
        pytest.param(A.removesuffix("\n") + B, BOTH, id="no blank line between"),
        pytest.param(A + B.removesuffix("\n"), [BOTH[0], (OTHER, "Subject: b\n\nBye")], id="end"),
        pytest.param(
            A.replace("Hello", "Hello\nFrom me to you: hi\n\nFrom now on: x"),
            [(LINE, "Subject: a\n\nHello\nFrom me to you: hi\n\nFrom now on: x\n")],
            id="From in the text",
        ),
        pytest.param(
            A.replace("Hello", "\nFrom x@example.org Wed Apr 10 09:00:00 2024\nis no header"),
            [(LINE, "Subject: a\n\n\nFrom x@example.org Wed Apr 10 09:00:00 2024\nis no header\n")],
            id="From with a date in the text",
        ),
        pytest.param(
            A.replace("Hello", ">From me\n>>From you\n> From us"),
            [(LINE, "Subject: a\n\nFrom me\n>From you\n> From us\n")],
            id="masked",
        ),
        pytest.param(
            A.replace("Subject: a", "Content-Length: 9999\nSubject: a") + B,
            [(LINE, "Content-Length: 9999\nSubject: a\n\nHello\n"), BOTH[1]],
            id="wrong Content-Length",
        ),
        pytest.param(
            "From MAILER-DAEMON\nSubject: a\n\nHello\n\nFrom ana@example.org\nSubject: b\n\nBye\n",
            [
                ("From MAILER-DAEMON", "Subject: a\n\nHello\n"),
                ("From ana@example.org", "Subject: b\n\nBye\n"),
            ],
            id="without dates",
        ),
        pytest.param(
            "Subject: z\n\nfirst\n\n" + B, [("", "Subject: z\n\nfirst\n"), BOTH[1]], id="?"
        ),
        pytest.param(A + "From nowhere", [(LINE, "Subject: a\n\nHello\n\nFrom nowhere")], id="cut"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_split(text: str, mails: list[tuple[str, str]], ends: str) -> None:
    lines = text.replace("\n", ends).encode().splitlines(keepends=True)
    assert list(split(lines)) == [
        Boxed(line, mail.replace("\n", ends).encode()) for line, mail in mails
    ]


HEADER = "Message-ID: <b@example.org>\nFrom: Ben Li <ben@example.org>\n"


@pytest.mark.parametrize(
    ("line", "header", "begins"),
    [
        (LINE, "Subject: b\n", True),
        (LINE, "Anything: b\n", True),
        (LINE, ">From other Wed Apr 10 09:00:00 2024\nSubject: b\n", True),
        ("From 17@xxx Wed Apr 10 09:00:00 +0000 2024", "X-GM-THRID: 17\n", True),
        ("From ???@??? Wed Apr 10 09:00:00 2024", "Received: from x\n", True),
        ("From ana prado Wed Apr 10 9:00 2024", HEADER, True),
        ("From ana at example.org  Wed Apr 10 09:00:00 2024", HEADER, True),
        ("From ana Wed Apr 10 09:00 EDT 2024 remote from mill", HEADER, True),
        ("From ana@example.org Wed Apr 10 09:00:00 2024 -0400", HEADER, True),
        ("From ana@example.org Wed Apr 10 09:00:00 24", HEADER, True),
        ("From ana@example.org Wed, 10 Apr 2024 09:00:00", "Subject: b\n", True),
        ("From ana@example.org Wed, 10 Apr 2024 09:00:00 +0000", HEADER, True),
        ('From "Ana Prado" Wed, 10 Apr 2024 09:00:00 GMT', HEADER, True),
        ("From ana@example.org 2024-04-10T09:00:00Z", HEADER, True),
        ("From - 2024-04-10 09:00:00", HEADER, True),
        ("From ana@example.org Wed Apr 10 2024", "Subject: b\n", True),
        ("From ana@example.org 10 Apr 2024", HEADER, True),
        ("From nobody Wed, 10 Apr 2024 09:00:00", HEADER, True),
        ("From ana@example.org 4/10/2024 9:00:00 AM", HEADER, True),
        ("From Ana Prado mer. 10 avr. 2024 09:00:00", HEADER, True),
        ("From ana@example.org", "Subject: b\n", True),
        ("From MAILER-DAEMON", "Subject: b\n", True),
        ("From ", "X-Mozilla-Status: 0001\n", True),
        ("From ", HEADER, True),
        ("From", HEADER, True),
        ("From ", "Subject: b\nX-Odd:\n of two lines\nMIME-Version: 1.0\n", True),
        ("From ", "To: Nairobi\nDate: 3 May\n", False),
        ("From ", "From: Portland\nTo: Nairobi\nDate: 3 May\n", False),
        ("From ", "Subject: b\n", False),
        ("From now on", HEADER, False),
        ("From 9:00 to 12:00 on 3 May 2024", "Date: x\nSubject: y\n", False),
        ("From Mar 5 10:00 to 12", "Fever: 39\n", False),
        ("From ana@example.org", "Fever: 39\n", False),
        ("From the ward, 5 Mar 2024 09:00", "Fever: 39\nPulse: 90\n", False),
        (LINE, "no header\n", False),
        ("from ana@example.org Wed Apr 10 09:00:00 2024", HEADER, False),
        ("From " + "x" * 2000 + " Wed Apr 10 09:00:00 2024", HEADER, False),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_what_separates_two_mails(line: str, header: str, begins: bool, ends: str) -> None:
    second = f"{line}\n{header}\nBye\n".replace("\n", ends)
    content = (A.replace("\n", ends) + second).encode()
    assert len(list(split(BytesIO(content)))) == 1 + begins
    assert is_mbox(second.encode()) is begins


def test_without_its_blank_line_only_a_sure_separator_separates() -> None:
    def count(text: str) -> int:
        return len(list(split(BytesIO((A.removesuffix("\n") + text).encode()))))

    assert count(f"From \nX-Mozilla-Status: 0001\n{HEADER}\nBye\n") == 2
    assert count(f"From \n{HEADER}\nBye\n") == 1
    assert count(f"From ana@example.org\n{HEADER}\nBye\n") == 1


def test_a_line_that_separates_nothing_loses_nothing() -> None:
    text = f"{A}From \nTo: Nairobi\nDate: 3 May\n\nFrom here.\n"
    (boxed,) = split(BytesIO(text.encode()))
    assert f"{boxed.from_line}\n{boxed.raw.decode()}" == text


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_of_any_machine(ends: str, mark: bytes) -> None:
    content = mark + (A + B).replace("\n", ends).encode()
    boxes = [
        (line, raw.decode().replace("\r\n", "\n"))
        for line, raw in split(lines_of(BytesIO(content)))
    ]
    assert boxes == BOTH
    assert is_mbox(content)
