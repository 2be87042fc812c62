"""What the name of a page tells: with whom, what kind of page, and which of two alike it is."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

#: ``2026-11-02T15_04_05Z``, in UTC, behind which a second page of that second has `` (1)``.
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d)Z?(?: ?\((\d{1,3})\))?")
_KINDS = ("Text", "Placed", "Received", "Missed", "Voicemail", "Recorded")
_BETWEEN = " - "
_SUFFIXES = (".html", ".htm")


class PageName(NamedTuple):
    """``name`` is the other person's, or their number; ``copy`` is ``""`` for the first page."""

    name: str = ""
    kind: str = ""
    copy: str = ""


def is_html(name: str) -> bool:
    """Whether a file is called as a page is."""
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")


def parse_page_name(name: str) -> PageName:
    """What the name of a page says; nothing, where somebody has renamed it."""
    stem = unicodedata.normalize("NFC", name).rpartition(".")[0]
    # A name that was withheld is empty, and programs drop the blank that a name begins with.
    before, _, last = f" {stem}".rpartition(_BETWEEN)
    instant = _INSTANT.fullmatch(last)
    if instant is None:
        return PageName()
    who, _, kind = before.rpartition(_BETWEEN)
    if kind.strip() not in _KINDS:
        who, kind = before, ""
    return PageName(" ".join(who.split()), kind.strip(), instant[2] or "")


def is_dated(name: str) -> bool:
    """Whether a file has the name that Takeout gives a page."""
    last = name.rpartition(".")[0].rpartition("- ")[2]
    return _INSTANT.fullmatch(last) is not None
