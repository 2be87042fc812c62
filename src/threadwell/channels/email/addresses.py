"""The mail addresses in From, To and Cc (RFC 5322 §3.4), from lists that break its rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from threadwell.channels.email.address_tokens import is_angle, is_comment, list_items, unquoted
from threadwell.channels.email.words import header_text
from threadwell.messages import Address, AddressKind, parse_email, parse_phone

_REMEMBERED_LENGTH = 200
_SPACES = re.compile(r"\s+")
_ROUTE = re.compile(r"@[^:]*:")
_NO_MAILBOX = re.compile(r"[\s<>\"(),;:]+")
#: A phone that sends through a mail gateway (3GPP TS 23.140 §8.5); what it is a number of, is lost.
_PHONE = re.compile(r"(\+\d{5,15})/TYPE=PLMN", re.ASCII | re.IGNORECASE)
_NOBODY = re.compile(r"undisclosed[ -]recipient", re.IGNORECASE)
#: What programs put around an address or a name, beside the quotes of RFC 5322.
_QUOTES = "'`\u2018\u2019\u201c\u201d"
_QUOTED = re.compile(f"[{_QUOTES}][^{_QUOTES}]*+[{_QUOTES}]")


def parse_addresses(values: Sequence[str]) -> tuple[Address, ...]:
    """Every address in the header values, in their order, each mailbox once.

    Names are decoded; groups are opened; an address without a domain, as within one mail server,
    and one that no mail address of today looks like is ``AddressKind.OTHER`` with the value
    ``email:<name>``; a phone behind a gateway is its number. What holds no address is left out.
    """
    if len(values) == 1:
        return _one(values[0])
    found: dict[tuple[AddressKind, str], Address] = {}
    for value in values:
        for address in _one(value):
            found.setdefault(address.key, address)
    return tuple(found.values())


def _one(value: str) -> tuple[Address, ...]:
    # The few people of a practice come again and again; a long list hardly does.
    return _remembered(value) if len(value) <= _REMEMBERED_LENGTH else _parsed(value)


def _parsed(value: str) -> tuple[Address, ...]:
    found: dict[tuple[AddressKind, str], Address] = {}
    for item in list_items(value):
        for address in _addresses(item):
            found.setdefault(address.key, address)
    return tuple(found.values())


_remembered = lru_cache(maxsize=8192)(_parsed)


def _addresses(tokens: list[str]) -> Iterator[Address]:
    """What one item of a list names: one address, or several with nothing but spaces between."""
    comments = " ".join(token[1:-1] for token in tokens if is_comment(token))
    words = [token for token in tokens if not is_angle(token) and not is_comment(token)]
    angle = next((token[1:-1] for token in reversed(tokens) if is_angle(token)), "").strip()
    bare = "".join(words)
    if angle and ("@" in angle or not any("@" in word for word in words if word[0] != '"')):
        yield from _some(_address(angle, _display(words) or comments, bracketed=True))
        return
    loose = [word for word in _NO_MAILBOX.split(bare) if "@" in word[1:-1]]
    if len(loose) > 1:
        for word in loose:
            yield from _some(_address(word, ""))
    elif loose and loose[0] != bare.strip() and not bare.lstrip().startswith('"'):
        # "Ana Prado ana@example.org": the brackets are missing.
        display = comments or angle or bare.replace(loose[0], "").strip(" <>'\"")
        yield from _some(_address(loose[0], display))
    else:
        yield from _some(_address(bare, comments or angle))


def _display(words: list[str]) -> str:
    """The name before the brackets, of which there may be one too many."""
    said = "".join(unquoted(word) for word in words if word != "<")
    return said.strip(" >") if "<" in words else said


def _some(address: Address | None) -> tuple[Address, ...]:
    return () if address is None else (address,)


def _address(mailbox: str, display: str, *, bracketed: bool = False) -> Address | None:
    if "=?" in mailbox or not mailbox.isascii():
        mailbox = header_text(mailbox)
    route = _ROUTE.match(mailbox := mailbox.strip())
    mailbox = mailbox[route.end() :] if route else mailbox
    display = _without_quotes(header_text(display))
    local, at, domain = mailbox.rpartition("@")
    if not at:
        return _without_domain(mailbox, display, bracketed)
    domain = domain.strip().rstrip(".")
    quoted = local.lstrip(_QUOTES + " ").startswith('"')
    local = unquoted(local.strip()) if quoted else _SPACES.sub("", local)
    found = parse_email(f"{local}@{domain}")
    if found is None:
        named = local and domain and not _NOBODY.match(local)
        return _odd(f"{local}@{domain}", display) if named else None
    phone = _PHONE.fullmatch(local)
    if phone:
        found = parse_phone(phone[1], "") or found
    display = "" if display.lower() in (mailbox.lower(), found.value) else display
    return Address(found.kind, found.value, display or found.display)


def _without_quotes(name: str) -> str:
    """The name without quotes around the whole of it: ``'Ana' via Nurses`` keeps those it has."""
    name = name.strip(' "')
    while len(name) > 1 and _QUOTED.fullmatch(name):
        name = name[1:-1].strip()
    return name


def _without_domain(mailbox: str, display: str, bracketed: bool) -> Address | None:
    name = unquoted(mailbox).strip().strip("<>" + _QUOTES)
    if not name or (_SPACES.search(name) and not bracketed):
        return None
    return _odd(name, display)


def _odd(name: str, display: str) -> Address:
    return Address(AddressKind.OTHER, f"email:{_SPACES.sub(' ', name).lower()}", display)
