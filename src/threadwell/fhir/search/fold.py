"""What search does not tell apart: case and accents of text, the spelling of a phone number."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not take apart, though people type them without the stroke.
_STROKES = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)


#: A phone number with what may stand around it: the scheme of a URI or the name of a service, and
#: the parameters or the extension, which reach the same line.
_PHONE = re.compile(
    r"(?:tel:|sms:|mms:|rcs:|whatsapp:)?"
    r"(?P<number>\(?\+?[\d\s().\-/\u2010-\u2015\u2212]+)"
    r"(?:TYPE=PLMN|;[a-z][^@]*|(?:ext|x|#)\.?\s?\d{1,7})?",
    re.IGNORECASE,
)
_SIP = re.compile(r"sips?:(?P<number>\+?[\d().\-]+)(?:[;@].*)?", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


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

    ``+1 (555) 010-0123`` and ``tel:+1-555-010-0123;ext=5`` are ``+15550100123``; anything else
    stays as it is written.
    """
    if value.isascii():
        if "@" in value and not value.lower().startswith("sip"):
            return value.lower()
        if value[1:].isdigit() and value[0] in "+0123456789":
            return value
    bare = value if value.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKC", value))
    phone = _PHONE.fullmatch(bare.strip()) or _SIP.fullmatch(bare.strip())
    if phone is not None:
        digits = "".join([str(int(c)) for c in phone["number"] if c.isdecimal()])
        if digits:
            return f"+{digits}" if "+" in phone["number"] else digits
    return value.lower() if "@" in value else value
