"""The mail addresses in From, To and Cc (RFC 5322 §3.4), from lists that break its rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from threadwell.channels.email.words import header_text
from threadwell.messages import Address, AddressKind
from threadwell.messages.parse import parse_email

# A list is cut at commas (and semicolons, as Outlook writes) that stand outside of "", () and <>.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.|\([^()]*\))*\)|<[^<>]*>|=\?[^?\s]+\?[bBqQ]\?[^?]*\?='
    r'|[^",;:(<=]+|.',
    re.DOTALL,
)
_REMEMBERED_LENGTH = 200
_ESCAPE = re.compile(r"\\(.)")
_SPACES = re.compile(r"\s+")
_ROUTE = re.compile(r"^@[^:]*:")
_NO_MAILBOX = re.compile(r"[\s<>\"(),;:]+")


def parse_addresses(values: Sequence[str]) -> tuple[Address, ...]:
    """Every address in the header values, in their order, each mailbox once.

    Names are decoded; groups are opened; an address without a domain, as within one mail server,
    is ``AddressKind.OTHER`` with the value ``email:<name>``. What holds no address is left out.
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
    for item in _items(value):
        address = _address(item)
        if address is not None:
            found.setdefault(address.key, address)
    return tuple(found.values())


_remembered = lru_cache(maxsize=8192)(_parsed)


def _items(value: str) -> list[list[str]]:
    """The tokens of each list item."""
    items: list[list[str]] = [[]]
    for piece in _TOKEN.findall(value):
        if piece in ",;":
            items.append([])
        elif piece == ":" and not any(t.startswith("<") or "@" in t for t in items[-1]):
            # What stands before a colon is the name of a group.
            items[-1] = []
        else:
            items[-1].append(piece)
    return _with_cut_names([item for item in items if "".join(item).strip()])


def _with_cut_names(items: list[list[str]]) -> list[list[str]]:
    """The items, a name that an unquoted comma cut in two ("Prado, Ana <…>") whole again."""
    whole: list[list[str]] = []
    for item in items:
        if whole and any(map(_is_angle, item)) and _is_name_only(whole[-1]):
            whole[-1] += [",", *item]
        else:
            whole.append(item)
    return whole


def _is_name_only(item: list[str]) -> bool:
    return not any("@" in token or _is_angle(token) for token in item)


def _address(tokens: list[str]) -> Address | None:
    angle = next((token[1:-1] for token in reversed(tokens) if _is_angle(token)), None)
    comments = [token[1:-1] for token in tokens if token.startswith("(") and len(token) > 1]
    words = [token for token in tokens if not _is_angle(token) and not token.startswith("(")]
    if angle is None:
        bare = "".join(words)
        display = " ".join(comments)
        loose = [word for word in _NO_MAILBOX.split(bare) if "@" in word[1:-1]]
        if len(loose) == 1 and loose[0] != bare.strip():
            # "Ana Prado ana@example.org": the brackets are missing.
            display = display or bare.replace(loose[0], "").strip(" <>'\"")
            bare = loose[0]
        mailbox = bare
    else:
        mailbox = angle
        display = "".join(_unquoted(word) for word in words) or " ".join(comments)
    return _normal(mailbox, header_text(display))


def _normal(mailbox: str, display: str) -> Address | None:
    mailbox = _ROUTE.sub("", mailbox.strip().removeprefix("mailto:"))
    if "=?" in mailbox or not mailbox.isascii():
        mailbox = header_text(mailbox)
    display = display.strip().strip("'\"").strip()
    local, at, domain = mailbox.rpartition("@")
    if at:
        domain = _ascii_domain(domain.strip().rstrip("."))
        address = parse_email(f"{_unquoted(_SPACES.sub('', local))}@{domain}")
        if address is not None:
            return Address(address.kind, address.value, "" if display == mailbox else display)
        return None
    name = _unquoted(mailbox).strip().strip("<>")
    if not name or _SPACES.search(name):
        return None
    return Address(AddressKind.OTHER, f"email:{name.lower()}", display)


def _ascii_domain(domain: str) -> str:
    """The one spelling of an internationalised domain (RFC 5890): ``xn--…``."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _is_angle(token: str) -> bool:
    return token.startswith("<") and token.endswith(">") and len(token) > 1


def _unquoted(word: str) -> str:
    if len(word) > 1 and word.startswith('"') and word.endswith('"'):
        return _ESCAPE.sub(r"\1", word[1:-1])
    return word
