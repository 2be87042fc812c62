"""Query strings and forms → (name, value) pairs."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

#: Parameters about the answer's format, which `negotiation` looks at (§3.1.0.1.11).
_FORMAT = frozenset({"_format", "_pretty"})

#: A plus sign that begins a phone number. Read as a space it would only ever find nothing.
_PLUS = re.compile(r"(?<=[=|,])\+(?=\d)")


def parse_params(text: str) -> list[tuple[str, str]]:
    """The pairs of a query or form, decoded, in their order, but for those about the format.

    ``phone=+15550100`` keeps its plus sign, though a form would make a space of it.
    """
    pairs = _pairs(text)
    return [pair for pair in pairs if pair[0] not in _FORMAT]


def formats(text: str) -> list[str]:
    """Every value of ``_format`` in a query or form."""
    # Its underscore may be escaped; its letters hardly are.
    if "format=" not in text:
        return []
    return [value for name, value in _pairs(text) if name == "_format"]


def _pairs(text: str) -> list[tuple[str, str]]:
    if "%" in text or "+" in text:
        return parse_qsl(_PLUS.sub("%2B", text), keep_blank_values=True)
    # Nothing to decode, as in most searches.
    parts = [part.partition("=") for part in text.split("&") if part]
    return [(name, value) for name, _, value in parts]
