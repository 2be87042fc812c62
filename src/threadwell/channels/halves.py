"""Halves of UTF-16 pairs that stand alone in JSON: programs cut texts within a character."""

from __future__ import annotations

import re

#: What is said of a message of which some were replaced.
NOTE = "some characters were damaged in the table and are replaced"

#: An escaped character: skipped whole where it is a backslash or a pair, else half of a pair.
_HALF = re.compile(
    rb"(?P<whole>\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def without_halves(content: bytes) -> bytes:
    """JSON with U+FFFD in the place of halves that stand alone; whole pairs stay."""
    return _HALF.sub(_mended, content)


def _mended(escapes: re.Match[bytes]) -> bytes:
    return escapes[0] if escapes["whole"] else rb"\ufffd"
