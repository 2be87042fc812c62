"""The code pages that Windows programs name by number (MS-UCODEREF §2.2.1)."""

from __future__ import annotations

import codecs

#: What MS-OXMSG §2.1.4.1 says of an item that names none.
_UNNAMED = "iso8859-15"
_NAMES = {
    20127: "ascii",
    20866: "koi8-r",
    20932: "euc_jp",
    21866: "koi8-u",
    50220: "iso2022_jp",
    50221: "iso2022_jp",
    50222: "iso2022_jp",
    50225: "iso2022_kr",
    51932: "euc_jp",
    51936: "gb2312",
    51949: "euc_kr",
    52936: "hz",
    54936: "gb18030",
    65000: "utf-7",
    65001: "utf-8",
    1200: "utf-16-le",
    1361: "johab",
    936: "gbk",
    # 28591 to 28605 are the parts of ISO 8859.
    **{28590 + part: f"iso8859-{part}" for part in range(1, 17) if part != 12},
}


def charset_of(number: int) -> str:
    """Python's name of a code page; ``""`` where it is none that Python knows."""
    name = _NAMES.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def decode(content: bytes, number: int) -> str:
    """A text in a code page, ``0`` where none is named. What is no letter becomes U+FFFD."""
    return content.decode(charset_of(number) or _UNNAMED, "replace")
