"""What search does not tell apart: case and accents of text, the spelling of a phone number."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not take apart, though people type them without the stroke.
_STROKES = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)


# Marks that stand within a word, as people write them; not all of them are punctuation to Unicode.
_APOSTROPHES = dict.fromkeys(map(ord, "'\u2018\u2019\u02bb\u02bc\u02b9`\u00b4\u2032\u05f3\u05f4"))
#: Texts that have nothing to leave out.
_PLAIN = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
#: Parts of a name that are looked for by themselves; what has more is no name.
_PARTS = 20
_SHORT = 200

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


def searched(text: str) -> str:
    """``fold`` without punctuation, and with one blank for many: what string search compares
    (FHIR R4 search.html#string). Doing it twice changes nothing.
    """
    if _PLAIN.fullmatch(text):
        return text.lower()
    folded = fold(text.translate(_APOSTROPHES))
    return " ".join("".join([c for c in folded if not _is_punctuation(c)]).split())


def searched_forms(text: str, *, parted: bool = False) -> tuple[str, ...]:
    """The texts of which one must begin with a ``searched`` text for it to be found.

    ``Smith-Jones`` is found as ``smithjones`` and as ``smith jones``; where it is ``parted``, as a
    family name is, as ``jones`` too. The first form is the ``searched`` one.
    """
    whole = searched(text)
    if _PLAIN.fullmatch(text):
        words = whole
    else:
        folded = fold(text.translate(_APOSTROPHES))
        apart = "".join([" " if _is_punctuation(c) else c for c in folded])
        words = " ".join(apart.split())
    if not parted:
        return (whole,) if words == whole else (whole, words)
    # A later part of a long text is found by its beginning, or the texts would grow as a square.
    starts = [at + 1 for at, c in enumerate(words) if c == " "][:_PARTS]
    later = [words[at : at + _SHORT] for at in starts]
    return tuple(dict.fromkeys([whole, words, *later]))


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


def text_code(text: str) -> str:
    """A text as a token: without case (FHIR R4 search.html#token), and else as written."""
    return text.casefold()


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
