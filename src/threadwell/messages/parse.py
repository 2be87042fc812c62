"""Parsers of the addresses that people and exports write down."""

from __future__ import annotations

import re
from email.utils import parseaddr

from threadwell.messages.address import Address, AddressKind
from threadwell.messages.phone import parse_phone

_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+")

#: RFC 5321 allows a mail address 254 characters; a name may stand beside it.
_LONGEST = 512


def parse_address(text: str, country: str) -> Address | None:
    """The phone number or mail address that ``text`` is; ``None`` if it is neither.

    ``country`` is as ``parse_phone`` takes it.
    """
    return parse_phone(text, country) or (parse_email(text) if "@" in text else None)


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
