"""Bytes to text, with and without a true claim of their charset."""

from __future__ import annotations

import pytest

from threadwell.channels.email.charsets import (
    NO_CHARSET,
    NOT_AS_CLAIMED,
    UNKNOWN_CHARSET,
    charset_in_html,
    decode,
)


@pytest.mark.parametrize(
    ("content", "claimed", "text", "note"),
    [
        (b"plain", "", "plain", ""),
        (b"plain", "no-such", "plain", ""),
        ("schön".encode(), "utf-8", "schön", ""),
        ("schön".encode(), "", "schön", ""),
        ("schön".encode(), "us-ascii", "schön", ""),
        ("schön".encode("cp1252"), "us-ascii", "schön", ""),
        ("schön".encode("cp1252"), "", "schön", NO_CHARSET),
        ("テスト".encode("iso-2022-jp"), "", "テスト", ""),
        ("テスト".encode("iso-2022-jp"), "us-ascii", "テスト", ""),
        ("schön".encode("cp1252"), "utf-8", "schön", NOT_AS_CLAIMED),
        ("schön".encode(), "no-such", "schön", UNKNOWN_CHARSET),
        ("schön".encode(), "base64", "schön", UNKNOWN_CHARSET),  # a codec, but not of text
        ("5 € – ok".encode("cp1252"), "iso-8859-1", "5 € – ok", ""),
        ("繁體".encode("big5"), "BIG5", "繁體", ""),
        ("㐂好".encode("gb18030"), "gb2312", "㐂好", ""),
        ("①テスト".encode("cp932"), "Shift_JIS", "①テスト", ""),
        ("テスト".encode("iso-2022-jp"), "ISO-2022-JP", "テスト", ""),
        ("한국어".encode("cp949"), "ks_c_5601-1987", "한국어", ""),
        ("hi".encode("utf-16"), '"utf-16"', "hi", ""),
        ("größer und schöner".encode()[:-1] + b"\xc3", "utf-8", "größer und schöne\ufffd", "…"),
    ],
)
def test_decode(content: bytes, claimed: str, text: str, note: str) -> None:
    note = NOT_AS_CLAIMED if note == "…" else note
    assert decode(content, claimed) == (text, note)


@pytest.mark.parametrize(
    ("head", "claimed", "charset"),
    [
        ('<meta charset="windows-1251">', "", "windows-1251"),
        ("<META CHARSET=koi8-r>", "us-ascii", "koi8-r"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">',
            "",
            "iso-8859-2",
        ),
        ("<meta content='text/html; charset=gb2312' http-equiv=content-type />", "", "gb2312"),
        ('<meta charset="windows-1251">', "utf-8", "utf-8"),
        ("<meta name=charset>", "", ""),
        ("<p>charset=x</p>", "", ""),
        ("x" * 5000 + "<meta charset=utf-8>", "", ""),
    ],
)
def test_the_charset_that_html_names(head: str, claimed: str, charset: str) -> None:
    assert charset_in_html(f"<html><head>{head}".encode(), claimed) == charset
