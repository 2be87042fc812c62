"""What the summary of a message tells of its past: what it said before, and what was unsent.

It is a binary property list: ``ec`` has the wordings of each part, the first one at the beginning
(``d`` since when, ``t`` the words), and ``rp`` the parts that were taken back.
"""

from __future__ import annotations

import plistlib
from typing import Any, NamedTuple

from threadwell.channels.imessage.attributes import struck_in
from threadwell.channels.imessage.typedstream import text_in
from threadwell.messages.looks import with_struck

#: What stands in a text where a file is.
_FILE = "\ufffc"
#: Seconds since 2001 that are a time: to the year 9900.
_MOST_SECONDS = 250_000_000_000


class Earlier(NamedTuple):
    """What a message said, ``since`` so many seconds after the first moment of 2001.

    ``marked`` has marks (``messages/looks.py``) where it is struck.
    """

    marked: str
    since: float


def earlier_wordings(summary: bytes) -> list[Earlier]:
    """The wordings of a message of one part, the first one at the beginning."""
    parts = _loaded(summary).get("ec")
    if not isinstance(parts, dict) or len(parts) != 1:
        return []
    (wordings,) = parts.values()
    out = []
    for one in wordings if isinstance(wordings, list) else ():
        words = one.get("t") if isinstance(one, dict) else None
        since = one.get("d") if isinstance(one, dict) else None
        text = text_in(words) if isinstance(words, bytes) else None
        if text is not None and isinstance(words, bytes):
            text = with_struck(text, struck_in(words))
        if not isinstance(since, int | float) or not 0 <= since <= _MOST_SECONDS or text is None:
            return []
        out.append(Earlier(text.replace(_FILE, "").strip(), float(since)))
    return out


def is_retracted(summary: bytes) -> bool:
    """Whether a part of the message was taken back."""
    return bool(_loaded(summary).get("rp"))


def _loaded(summary: bytes) -> dict[str, Any]:
    try:
        found = plistlib.loads(summary, fmt=plistlib.FMT_BINARY)
    except Exception:  # noqa: BLE001 - a damaged list ends in errors of many kinds
        return {}
    return found if isinstance(found, dict) else {}
