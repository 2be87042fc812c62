"""Mail addresses as people, tables and mail programs write them, in one normal form.

An international domain has two spellings that mean the same (RFC 5890 §2.3.2.1). The normal form
is the one in ASCII, since most mails arrive with it; what people type is turned into it.
"""

from __future__ import annotations

import re
import unicodedata
from email.utils import parseaddr
from urllib.parse import unquote

from threadwell.messages.address import Address, AddressKind

_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
#: Marks that tables and programs put around an address. ``'`` alone marks text in a spreadsheet.
_QUOTES = "'\"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb"
_SCHEME_INSIDE = re.compile("<mailto:", re.IGNORECASE)
#: An MMS names the kind of its addresses (OMA MMS Encapsulation §8).
_TYPED = re.compile(r"/TYPE=[A-Z0-9]{1,16}\Z", re.IGNORECASE)
_PREFIX = "xn--"
#: RFC 5321 allows a mail address 254 characters; a name may stand beside it.
_LONGEST = 512


def parse_email(text: str) -> Address | None:
    """The mail address that ``text`` is, with the name beside it; ``None`` if it is none.

    Takes ``ana@example.org``, ``Ana Prado <ana@example.org>``, ``mailto:ana@example.org`` and an
    address in quotes. The value is lower case, for no mail provider in use tells mailboxes apart by
    case, composed (Unicode's NFC), and its domain is in ASCII.
    """
    if len(text) > _LONGEST:
        return None
    bare = _TYPED.sub("", _without_scheme(_MARKS.sub("", text).strip()))
    mailbox = bare.strip(_QUOTES)
    if _MAILBOX.fullmatch(mailbox):
        return _address(mailbox, "")
    name, mailbox = parseaddr(_SCHEME_INSIDE.sub("<", bare))
    mailbox = mailbox.strip(_QUOTES)
    return _address(mailbox, name) if _MAILBOX.fullmatch(mailbox) else None


def email_spellings(value: str) -> tuple[str, ...]:
    """How the address of that value may be written elsewhere: with its domain in letters, too."""
    local, _, domain = value.rpartition("@")
    if _PREFIX not in domain:
        return (value,)
    return value, f"{local}@{'.'.join(map(_letters, domain.split('.')))}"


def _without_scheme(text: str) -> str:
    if text[:7].lower() != "mailto:":
        return text
    return unquote(text[7:].partition("?")[0])


def _address(mailbox: str, name: str) -> Address | None:
    local, _, domain = mailbox.rpartition("@")
    domain = _DOTS.sub(".", domain).rstrip(".")
    if not domain:
        return None
    if mailbox.isascii() and _PREFIX not in domain.lower():
        return Address(AddressKind.EMAIL, f"{local}@{domain}".lower(), name)
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
    labels = [_folded(_letters(label.lower())) for label in domain.split(".")]
    # What looks like a letter may be a space or a sign in the end.
    if not _MAILBOX.fullmatch(f"{local}@{'.'.join(labels)}"):
        return None
    return Address(AddressKind.EMAIL, f"{local}@{'.'.join(map(_ascii, labels))}", name)


def _letters(label: str) -> str:
    """A domain's label as people read it; one that is nobody's ASCII form stays as it is."""
    if not label.startswith(_PREFIX):
        return label
    try:
        letters = label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    return letters if _ascii(_folded(letters)) == label else label


def _folded(letters: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", letters).lower())


def _ascii(letters: str) -> str:
    """A domain's label in ASCII.

    As in IDNA 2008, ``ß`` stays the letter it is; Python's own codec makes it ``ss``, which is
    another domain.
    """
    return letters if letters.isascii() else _PREFIX + letters.encode("punycode").decode("ascii")
