"""Header text in the charsets and mistakes that mail programs make."""

from __future__ import annotations

import pytest

from threadwell.channels.email.words import header_text


def raw(content: bytes) -> str:
    """A header value as the parser hands it over: no UTF-8 is surrogates."""
    return content.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Refill of tablets", "Refill of tablets"),
        ("=?utf-8?q?Caf=C3=A9_au_lait?=", "Café au lait"),
        ("=?UTF-8?B?w5xidW5nZW4=?=", "Übungen"),
        ("=?utf-8?B?w5xidW5nZW4?=", "Übungen"),  # padding left out
        ("Re: =?iso-8859-1?Q?Fr=FChling?= soon", "Re: Frühling soon"),
        ("=?utf-8?q?one?= =?utf-8?q?two?=", "onetwo"),
        ("=?utf-8?q?one?=  \t =?iso-8859-1?q?two?=", "onetwo"),
        ("=?utf-8?q?one?= and =?utf-8?q?two?=", "one and two"),
        ("=?utf-8?B?w5x?= =?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "Üü"),  # a character cut in two
        ("=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?windows-1252?Q?=93quoted=94?=", "“quoted”"),
        ("=?iso-8859-1?Q?=93quoted=94?=", "“quoted”"),  # Windows-1252, called Latin-1
        ("=?utf-8*en?q?English?=", "English"),
        ("=?no-such-charset?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?cut off", "=?utf-8?q?cut off"),
        ("=?utf-8?x?unknown?=", "=?utf-8?x?unknown?="),
        ("=?utf-8?b?!?=", ""),
        (raw(b"Fr\xfchling"), "Frühling"),
        (raw("Frühling".encode()), "Frühling"),
        ("two\tlines  of\n text", "two lines of text"),
        ("bell\x07", "bell"),
    ],
)
def test_header_text(value: str, text: str) -> None:
    assert header_text(value) == text
