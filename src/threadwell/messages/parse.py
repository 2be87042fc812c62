"""Parsers of the addresses that people and exports write down."""

from __future__ import annotations

import re
from email.utils import parseaddr
from functools import lru_cache

import phonenumbers

from threadwell.messages.address import Address, AddressKind

_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_EXTENSION = re.compile(r"\s*(?:;ext=|ext\.?|x|#)\s*\d{1,7}$", re.IGNORECASE)
_DIALLED = re.compile(r"\+?[\d\s().\-/\u00a0\u2010-\u2015\u202f]+")
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+")

#: RFC 5321 allows a mail address 254 characters; a name may stand beside it.
_LONGEST = 512
#: Numbers of at most so many digits, written without ``+``, are short codes everywhere.
_SHORT_CODE_DIGITS = 6
_FEWEST_DIGITS = 3
_MOST_DIGITS = 15


@lru_cache(maxsize=65_536)
def parse_phone(text: str, country: str) -> Address | None:
    """The phone number that ``text`` is, or ``None`` if it is something else.

    ``country`` (ISO 3166-1 alpha-2) is where numbers without a country code belong. The value is
    E.164 wherever the digits can be a number of their country; a short code, or a number that
    lacks its area code, stays the digits it is. Extensions are dropped: they reach the same line.
    """
    if len(text) > _LONGEST:
        return None
    written = _EXTENSION.sub("", _MARKS.sub("", text).strip().removeprefix("tel:"))
    if not _DIALLED.fullmatch(written):
        return None
    digits = "".join(str(int(c)) for c in written if c.isdigit())
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS + 2:
        return None
    international = written.startswith("+") or digits.startswith("00")
    if not international and len(digits) <= _SHORT_CODE_DIGITS:
        return Address(AddressKind.PHONE, digits)
    dialled = "+" + digits.removeprefix("00") if international else digits
    return Address(AddressKind.PHONE, _e164(dialled, country) or dialled)


def parse_email(text: str) -> Address | None:
    """The mail address that ``text`` is, with the name beside it; ``None`` if it is none.

    Takes ``ana@example.org``, ``Ana Prado <ana@example.org>`` and ``mailto:ana@example.org``.
    The value is lower case: no mail provider in use tells mailboxes apart by case.
    """
    if len(text) > _LONGEST:
        return None
    bare = _MARKS.sub("", text).strip().removeprefix("mailto:")
    if _MAILBOX.fullmatch(bare):
        return Address(AddressKind.EMAIL, bare.lower())
    name, mailbox = parseaddr(bare)
    if not _MAILBOX.fullmatch(mailbox):
        return None
    return Address(AddressKind.EMAIL, mailbox.lower(), name)


def _e164(dialled: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(dialled, country)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" and not "valid": numbering plans grow faster than any table of them.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
