"""Query strings and forms → (name, value) pairs, decoded."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

#: A plus sign that begins a phone number. Read as a space it would only ever find nothing.
_PLUS = re.compile(r"(?<=[=|,])\+(?=\d)")


def pairs(text: str) -> list[tuple[str, str]]:
    """The pairs in their order. ``phone=+15550100`` keeps its plus sign, though a form would make
    a space of it.
    """
    if "%" in text or "+" in text:
        return parse_qsl(_PLUS.sub("%2B", text), keep_blank_values=True)
    # Nothing to decode, as in most searches.
    parts = [part.partition("=") for part in text.split("&") if part]
    return [(name, value) for name, _, value in parts]
