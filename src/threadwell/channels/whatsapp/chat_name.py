"""The name of a chat. Only the name of its file, or of the folder around it, tells it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

_NAMED = re.compile(
    r".*?\bWhatsApp\b.*?(?: (?:with|mit|avec|con|com|met|med|z|ile) | - )(?P<name>.+)",
    re.IGNORECASE,
)
_COPY = re.compile(r"\s*\(\d{1,3}\)$")


def chat_name(path: Path) -> str:
    """The chat that the export at ``path`` is of; a second download has the same name."""
    stem = path.parent.name if path.stem == "_chat" else path.stem
    stem = _COPY.sub("", unicodedata.normalize("NFC", stem))
    match = _NAMED.fullmatch(stem)
    return (match["name"] if match else stem).strip()
