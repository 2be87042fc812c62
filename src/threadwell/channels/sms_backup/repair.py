"""Mends what the app writes that is not XML.

It writes an emoji as two references to the halves of a UTF-16 pair (``&#55357;&#56832;``), and
control characters as references or as they are. XML 1.0 §2.2 allows none of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PAIR = re.compile(
    rb"&#(?:(?P<high>5[56]\d{3})|[xX](?P<xhigh>[dD][89abAB][0-9a-fA-F]{2}));"
    rb"&#(?:(?P<low>5[67]\d{3})|[xX](?P<xlow>[dD][c-fC-F][0-9a-fA-F]{2}));"
)
_REFERENCE = re.compile(rb"&#(?:(\d{1,7})|[xX]([0-9a-fA-F]{1,6}));")
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_REPLACEMENT = "\ufffd".encode()
_SURROGATES = range(0xD800, 0xE000)
_HIGH, _LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)


class Repaired(NamedTuple):
    """The mended bytes; ``lossy`` where a character was left out or replaced."""

    content: bytes
    lossy: bool


def repair(content: bytes) -> Repaired:
    """``content`` with every character that XML forbids mended, replaced or left out."""
    paired = _PAIR.sub(_joined, content)
    without = _REFERENCE.sub(_allowed, paired).translate(None, _CONTROLS)
    text = _decoded(without)
    return Repaired(text.encode(), lossy=without != paired or "\ufffd" in text)


def _joined(match: re.Match[bytes]) -> bytes:
    high = _code(match["high"], match["xhigh"])
    low = _code(match["low"], match["xlow"])
    if high not in _HIGH or low not in _LOW:
        return match[0]
    return chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00).encode()


def _allowed(match: re.Match[bytes]) -> bytes:
    code = _code(match[1], match[2])
    if code in _SURROGATES or code in (0xFFFE, 0xFFFF) or code > 0x10FFFF:
        return _REPLACEMENT
    if code < 32 and code not in b"\t\n\r":
        return b""
    return match[0]


def _code(decimal: bytes | None, hexadecimal: bytes | None) -> int:
    return int(decimal) if decimal else int(hexadecimal or b"0", 16)


def _decoded(content: bytes) -> str:
    try:
        # Some phones write the two halves of a pair as three bytes each (CESU-8).
        halves = content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        halves = content.decode("utf-8", "replace")
    return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
