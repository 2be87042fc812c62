"""What stands in one cell of a table of people: addresses and names, often several. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from threadwell.messages import Address, parse_email, parse_phone
from threadwell.messages.spreadsheet import is_damaged, is_difference, says_nothing, unguarded

#: Between values: what the documentation says, and what people write.
_BETWEEN = re.compile(r"[;\n\r]")
_BETWEEN_PHONES = re.compile(r"[,/|]|\s(?:or|and|oder|und|ou|et|o|y)\s|\s(?=\+)", re.IGNORECASE)
_BETWEEN_MAILS = re.compile(r"[,/|\s]")
_CHAT = re.compile(r"([A-Za-z0-9_]+)\s?:(.*)", re.DOTALL)


class Cell(NamedTuple):
    """The addresses of a cell; ``problem`` says which of its values is none, without naming it."""

    addresses: tuple[Address, ...] = ()
    problem: str = ""


def phones(cell: str, country: str) -> Cell:
    """The phone numbers of a cell."""

    def parse(text: str) -> Address | None:
        return parse_phone(text, country)

    return _addresses(cell, parse, _BETWEEN_PHONES, "phone number", _is_one_phone)


def mails(cell: str) -> Cell:
    """The mail addresses of a cell, each with or without the name before it."""
    if "<" in cell:
        # Commas and blanks belong to the names, and every address stands in brackets.
        bracketed = [part.partition("<")[2] for part in cell.split(">") if "<" in part]
        outside = [part.partition("<")[0] for part in cell.split(">")]
        if not any("@" in part for part in outside):
            return _addresses(";".join(bracketed), parse_email, _BETWEEN_MAILS, "mail address")
    return _addresses(cell, parse_email, _BETWEEN_MAILS, "mail address")


def chats(cell: str) -> tuple[list[str], str]:
    """The names of a cell, each with its channel (``whatsapp:Ana Prado``), and what is wrong."""
    out: list[str] = []
    for text in several(cell):
        match = _CHAT.fullmatch(text)
        if match is None or not match[2].strip():
            return [], "must be written channel:name, such as whatsapp:Ana Prado"
        out.append(f"{match[1].lower()}:{match[2].strip()}")
    return out, ""


def several(cell: str, between: str = "") -> list[str]:
    """The values of a cell, which are separated by ``;``."""
    parts = re.split(between, cell) if between else _BETWEEN.split(cell)
    return [part.strip() for part in parts if part.strip()]


def _is_one_phone(text: str, address: Address) -> bool:
    """Whether a text with a separator within it is one number all the same: ``0211/123456``."""
    return address.value.startswith("+") or not _BETWEEN_PHONES.search(text)


def _always(_text: str, _address: Address) -> bool:
    return True


def _addresses(
    cell: str,
    parse: Callable[[str], Address | None],
    between: re.Pattern[str],
    kind: str,
    is_one: Callable[[str, Address], bool] = _always,
) -> Cell:
    whole = _whole(unguarded(cell), parse, between, is_one)
    if whole is not None:
        return Cell((whole,))
    found: list[Address] = []
    place = 0
    for part in map(unguarded, several(cell)):
        if says_nothing(part):
            continue
        whole = _whole(part, parse, between, is_one)
        for text in [part] if whole else filter(None, map(str.strip, between.split(part))):
            place += 1
            address = whole or parse(text)
            if address is None:
                return Cell(problem=_problem(text, place, kind))
            found.append(address)
    return Cell(tuple(dict.fromkeys(found)))


def _whole(
    text: str,
    parse: Callable[[str], Address | None],
    between: re.Pattern[str],
    is_one: Callable[[str, Address], bool],
) -> Address | None:
    """The address that the whole of ``text`` is, unless it may be several."""
    if between is _BETWEEN_MAILS and (between.search(text) or _BETWEEN.search(text)):
        return None
    address = parse(text)
    return address if address is not None and is_one(text, address) else None


def _problem(text: str, place: int, kind: str) -> str:
    which = f"value {place} " if place > 1 else ""
    if is_damaged(unguarded(text)) or is_difference(unguarded(text)):
        return f"{which}has lost digits in a spreadsheet"
    return f"{which}is no {kind}"
