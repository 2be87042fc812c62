"""Releases of the IANA zone data: ``2026f`` is newer than ``2026b``."""

from __future__ import annotations

import re
from typing import NamedTuple

_RELEASE = re.compile(r"\b([12]\d{3})([a-z]{1,2})\b")


class Release(NamedTuple):
    """A release; their natural order is that of time. ``str`` gives ``2026f``."""

    year: int
    #: After ``z`` comes ``za``: the length goes before the letters.
    length: int
    letters: str

    def __str__(self) -> str:
        return f"{self.year}{self.letters}"


def parse_release(text: str) -> Release | None:
    """The first release that ``text`` names (``2026f``, ``# version 2025b``), if any."""
    match = _RELEASE.search(text)
    if match is None:
        return None
    return Release(int(match[1]), len(match[2]), match[2])
