"""Who is at both ends: whose number the export is of, and who the others on a page are.

A page names people by their number, by the name that the owner's address book has for them, or
by both. A number that stands on no page with a name is not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.channel import ReadOptions
from threadwell.channels.google_voice.file_names import parse_page_name
from threadwell.channels.google_voice.page import Page, Person
from threadwell.messages import Address, AddressKind, parse_address

NAME = "google_voice"
#: A name that is a number: what Google writes where the address book has none.
_NUMBER = re.compile(r"\+{1,2}\d{3,17}|\d{3,17}")
_TO_ONE = "Me to"
_PHONES = "Phones.vcf"
_LARGEST_CARD = 1024 * 1024


class Own(NamedTuple):
    """Whose number the export is of; ``said`` is whether it says so itself."""

    address: Address
    said: bool

    @property
    def ours(self) -> tuple[Address, ...]:
        """The number as one of the practice's by what the export says."""
        return (self.address,) if self.said else ()


@dataclass(slots=True)
class Book:
    """What all pages of an export tell together: the numbers behind names, and the owner's own."""

    by_name: dict[str, dict[str, Address]] = field(default_factory=dict)
    own: Address | None = None

    @classmethod
    def of(cls, pages: Iterable[tuple[str, Page]], country: str) -> Book:
        """The book of pages, each with the name of its file."""
        out = cls()
        for file_name, page in pages:
            own = own_number(page, country)
            out.own = out.own or own
            named: dict[str, Address] = {}
            for person in _people(page):
                address = address_of(person, country)
                if address is not None and (own is None or address.key != own.key):
                    named[address.value] = address
                    out._note(person.name, address)
            if page.group is None and len(named) == 1:
                (address,) = named.values()
                out._note(parse_page_name(file_name).name, address)
                out._note(page.title.removeprefix(_TO_ONE).strip(), address)
        return out

    def number_of(self, names: Iterable[str]) -> Address | None:
        """The one number that goes by any of the names; ``None`` for none, or several."""
        found = {
            address.key: address
            for name in names
            for address in self.by_name.get(_plain(name), {}).values()
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def _note(self, name: str, address: Address) -> None:
        if name and not _NUMBER.fullmatch(name):
            self.by_name.setdefault(_plain(name), {})[address.value] = address


def own_number(page: Page, country: str) -> Address | None:
    """The number beside "Me" on a page."""
    mine = (entry.sender for entry in page.entries if entry.mine)
    return next(filter(None, (address_of(one, country) for one in mine)), None)


def number_in_card(folder: Path, country: str) -> Address | None:
    """The number of the account in ``Phones.vcf``, beside its pages or above them.

    The card lists the owner's other phones as well; the label of an item tells them apart.
    """
    for place in (folder, folder.parent):
        card = place / _PHONES
        try:
            if not card.is_file() or card.stat().st_size > _LARGEST_CARD:
                continue
            lines = card.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        items: dict[str, dict[str, str]] = {}
        for line in lines:
            number, _, rest = line.strip().partition(".")
            name, _, value = rest.partition(":")
            items.setdefault(number, {})[name.partition(";")[0].upper()] = value.strip()
        for item in items.values():
            if item.get("X-ABLABEL") == "Google Voice" and (tel := item.get("TEL")):
                return address_of(Person(tel), country)
    return None


def card_of(folder: Path) -> Path:
    """Where ``Phones.vcf`` lies, if it does."""
    beside = folder / _PHONES
    return beside if beside.exists() else folder.parent / _PHONES


def address_of(person: Person, country: str) -> Address | None:
    """The number of somebody, with the name that the export has for them."""
    tel = person.tel.replace("++", "+")
    if not tel:
        return None
    known = parse_address(tel, country) or Address(AddressKind.OTHER, f"sms:{tel}")
    name = "" if _NUMBER.fullmatch(person.name) else person.name
    return known._replace(display=name) if name else known


@dataclass(frozen=True, slots=True)
class Others:
    """The others on a page; ``group`` where they are several, or where the page lists them."""

    people: tuple[Address, ...]
    group: bool = False

    @property
    def thread(self) -> str:
        """The thread between the owner and these people."""
        return ",".join(sorted({one.key[1] for one in self.people}))

    def writer(self, person: Person, own: Address | None, country: str) -> Address | None:
        """Who of them wrote; ``None`` where the page does not tell."""
        address = address_of(person, country)
        # Old exports put the owner's own number beside every message.
        if address is not None and (own is None or address.key != own.key):
            return address
        if not self.group:
            return self.people[0]
        named = [one for one in self.people if person.name and one.display == person.name]
        return named[0] if len(named) == 1 else None


def others_on(
    page: Page, file_name: str, own: Address | None, book: Book | None, country: str
) -> Others | None:
    """With whom the messages of a page were exchanged; ``None`` where nothing tells.

    ``book`` is asked where the page has but a name; without one, names lead nowhere.
    """
    received = [entry.sender for entry in page.entries if not entry.mine]
    found: dict[object, Address] = {}
    for person in (*(page.group or ()), *received):
        address = address_of(person, country)
        if address is not None and (own is None or address.key != own.key):
            known = found.setdefault(address.key, address)
            found[address.key] = max(known, address, key=lambda one: len(one.display))
    if page.group is not None or len(found) > 1:
        return Others(tuple(found.values()), group=True) if found else None
    if found:
        return Others(tuple(found.values()))
    name = parse_page_name(file_name).name
    if _NUMBER.fullmatch(name.replace(" ", "")):
        address = address_of(Person(name), country)
    else:
        title = page.title.removeprefix(_TO_ONE).strip()
        names = [name, title, *(one.name for one in received)]
        address = book.number_of(filter(None, names)) if book else None
    return Others((address,)) if address is not None else None


def stand_in(options: ReadOptions) -> Address:
    """The practice's own number as the import was told it; a stand-in where it was not."""
    phones = (one for one in options.owner if one.kind is AddressKind.PHONE)
    return next(phones, Address(AddressKind.OTHER, f"{NAME}:owner"))


def _people(page: Page) -> Iterable[Person]:
    yield from page.group or ()
    yield from (entry.sender for entry in page.entries if not entry.mine)
    if page.call is not None:
        yield page.call.other


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())
