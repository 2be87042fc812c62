"""Who is in a chat. An export names its people as the phone's address book does."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from threadwell.channels.channel import ReadOptions
from threadwell.messages import Address, AddressKind, parse_phone

NAME = "whatsapp"
YOU = "You"
Key: TypeAlias = tuple[AddressKind, str]
#: A group may have 1,024 people; those who left it have written too.
_MOST = 2_500


@dataclass(frozen=True, slots=True)
class Participants:
    """Everybody in one chat, by the name that stands in its lines."""

    by_name: dict[str, Address]
    everybody: tuple[Address, ...]
    _joined: dict[Key, int] = field(default_factory=dict)
    _places: list[int] = field(default_factory=list)
    _others: dict[tuple[str, int], tuple[Address, ...]] = field(default_factory=dict)

    @property
    def are_too_many(self) -> bool:
        """Whether they are more than any chat has: then it is none."""
        return len(self.everybody) > _MOST

    @classmethod
    def of(cls, names: Iterable[str], chat: str, options: ReadOptions) -> Participants:
        """Those in a chat that is called ``chat``, where ``names`` have written.

        Who only reads in it is not named anywhere; but one of the practice's addresses is always
        in it, and so is the patient that it is called after where nobody else wrote.
        """
        own = {one.key: one for one in options.owner}
        me = _own_address(options)
        by_name: dict[str, Address] = {}
        for name in names:
            address = me if name == YOU and me else address_of(name, options.country)
            by_name[name] = own.get(address.key, address)
        everybody = {one.key: one for one in by_name.values()}
        if all(key in own for key in everybody):
            other = address_of(chat, options.country)
            everybody.setdefault(other.key, other)
        if me is not None and not any(key in own for key in everybody):
            everybody[me.key] = me
        return cls(by_name, tuple(everybody.values()))

    def join(self, name: str, place: int) -> None:
        """Note that whoever has that name came to the chat with the line at ``place``."""
        if name in self.by_name:
            self._joined[self.by_name[name].key] = place
            insort(self._places, place)

    def recipients(self, sender: Address, place: int) -> tuple[Address, ...]:
        """Everybody but the sender who was there when the line at ``place`` was written."""
        came = bisect(self._places, place)
        others = self._others.get((sender.value, came))
        if others is None:
            others = tuple(
                one
                for one in self.everybody
                if one.key != sender.key and self._joined.get(one.key, -1) <= place
            )
            self._others[sender.value, came] = others
        return others


def address_of(name: str, country: str) -> Address:
    """The phone number that a line names, or the name as an address of this channel.

    ``~ Ana``, a name that a stranger gave themselves, keeps its tilde: it must not meet a patient
    who is in the address book as Ana.
    """
    phone = parse_phone(name, country) if name.startswith("+") else None
    return phone or Address(AddressKind.OTHER, f"{NAME}:{name}", name)


def _own_address(options: ReadOptions) -> Address | None:
    own = options.owner
    chat = (one for one in own if one.value.startswith(f"{NAME}:"))
    phones = (one for one in own if one.kind is AddressKind.PHONE)
    return next(chat, None) or next(phones, None) or next(iter(own), None)
