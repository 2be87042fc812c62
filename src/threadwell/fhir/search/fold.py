"""What search does not tell apart: case and accents of text, the spelling of a phone number."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not take apart, though people type them without the stroke.
_STROKES = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)


_PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]+")
_DIGIT = re.compile(r"\d")
_SPELLING = re.compile(r"[^+\d]")


def fold(text: str) -> str:
    """``text`` in lower case without accents: equal for what a person takes for the same name.

    This is how string search compares (FHIR R4 search.html#string). Folding a folded text changes
    nothing, and the fold of a beginning is a beginning of the fold.
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join([c for c in apart if not unicodedata.combining(c)]).translate(_STROKES)


def contact_code(value: str) -> str:
    """The value of a ContactPoint as a token: mail in lower case, a phone without its spelling.

    ``+1 (555) 010-0123`` is ``+15550100123``; anything else stays as it is written.
    """
    if "@" in value:
        return value.lower()
    if _PHONE.fullmatch(value) and _DIGIT.search(value):
        return _SPELLING.sub("", value)
    return value
