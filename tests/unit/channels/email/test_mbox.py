"""Mailbox files in all the ways that programs write them."""

from __future__ import annotations

import pytest

from threadwell.channels.email.mbox import Boxed, is_from_line, split

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


@pytest.mark.parametrize(
    ("line", "following", "after_blank", "begins"),
    [
        (LINE, "Subject: a", False, True),
        ("From 17@xxx Wed Apr 10 09:00:00 +0000 2024", "X-GM-THRID: 17", True, True),
        ("From ???@??? Wed Apr 10 09:00:00 2024", "Received: from x", True, True),
        ("From ana prado Wed Apr 10 9:00 2024", ">From other Wed Apr 10 09:00:00 2024", True, True),
        (LINE, "no header", True, False),
        ("From ana@example.org", "Subject: a", True, True),
        ("From ana@example.org", "Subject: a", False, False),
        ("From now on", "Subject: a", True, False),
        ("from ana@example.org Wed Apr 10 09:00:00 2024", "Subject: a", True, False),
    ],
)
def test_is_from_line(line: str, following: str, after_blank: bool, begins: bool) -> None:
    assert is_from_line(line.encode(), following.encode(), after_blank) is begins
