"""Mail files are told by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwell.channels.email import sniff

MAIL = b"From: ana@example.org\nSubject: Hi\n\nHello\n"


@pytest.mark.parametrize(
    ("head", "is_mail"),
    [
        (MAIL, True),
        (MAIL.replace(b"\n", b"\r\n"), True),
        (b"\xef\xbb\xbf" + MAIL, True),
        (b"\n" + MAIL, True),
        (b"From ana@example.org Wed Apr 10 09:00:00 2024\n" + MAIL, True),
        (b"From ana@example.org Wed Apr 10 09:00:00 2024\r\n" + MAIL, True),
        (
            b"Received: from a\n\tby b; Wed, 10 Apr 2024\nDKIM-Signature: v=1\nX-Odd: " + b"x" * 99,
            True,
        ),
        (b"DATE: today\nTO: ana@example.org\n", True),
        (b"Subject: only one field\n\nHello", False),
        (b"From: me\nDear Ana,\nDate: tomorrow", False),
        (b"From me to you\nSubject: a", False),
        (b"4/10/24, 9:00 AM - Ana: Hello\n4/10/24, 9:01 AM - Ben: Hi", False),
        (b"from,to,date,text\nana@example.org,care@clinic.example.org,2024-04-10,Hi", False),
        (b'{"from": "ana@example.org", "date": "2024-04-10"}', False),
        (b'<?xml version="1.0"?><smses count="1">', False),
        (b"\0\1\2", False),
    ],
)
def test_sniff(head: bytes, is_mail: bool) -> None:
    assert sniff(head, Path("export.txt")) is is_mail


def test_folders(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    assert sniff(b"", tmp_path / "box")
    assert not sniff(b"", tmp_path)
    assert sniff(MAIL, tmp_path / "box" / "cur" / "17.host:2,S")
