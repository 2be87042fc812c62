"""Who is at both ends of a message, and whose phone it is, as far as the export tells.

An SMS names the other side alone. An MMS names everybody, the phone's own number among them; what
it does not tell is which of them that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from threadwell.channels.android.columns import RECEIVED, SENT, Refused
from threadwell.channels.android.owner import Owner
from threadwell.channels.sms_ie.records import Record
from threadwell.messages import Address, AddressKind

NAME = "sms_ie"
_BETWEEN = re.compile("[~;,]")
_NOBODY = Refused("nobody is named at its other end")
_SEVERAL = Refused("several people are in it, and none is named as its sender")
_ITSELF = Refused("it was received, and names the phone's own number as its sender")

_Key: TypeAlias = tuple[AddressKind, str]


class Ends(NamedTuple):
    """``others`` are all but ``own``, the owner's address."""

    sender: Address
    recipients: tuple[Address, ...]
    others: tuple[Address, ...]
    own: Address


@dataclass(slots=True)
class Phone:
    """The phone's own numbers: those of the practice, and those that the export gives away.

    ``by_card`` is the number of each SIM (``sub_id``). Where the import was told no number, they
    stand for the owner of an SMS, too.
    """

    owner: Owner
    own: dict[_Key, Address] = field(default_factory=dict)
    by_card: dict[str, dict[_Key, Address]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record], owner: Owner) -> Phone:
        """What the MMS of an export tell of the phone: they are walked through once.

        Who sent what lies in the box of sent messages is the phone. So is the one number to which
        all came that were received from different people, and which nobody else ever has; where
        the import was told no number, different people need not be. An app that restored the
        messages may have left the phone's number out, and then such a number is somebody else's.
        """
        phone = cls(owner)
        reached: dict[_Key, Address] | None = None
        wrote: set[_Key] = set()
        others: set[_Key] = set()
        for record in records:
            box, card = record.columns.get("msg_box"), record.columns.get("sub_id", "")
            sender = owner.read(record.sender.get("address", ""))
            if sender is None:
                continue
            if box == SENT:
                phone._learn(sender, card)
                others |= {one.key for one in phone._addresses(record.recipients)}
            elif box == RECEIVED:
                wrote.add(sender.key)
                to = {one.key: one for one in phone._addresses(record.recipients)}
                reached = to if reached is None else {k: v for k, v in reached.items() if k in to}
        if reached and len(reached) == 1 and (len(wrote) > 1 or not phone._is_told):
            (address,) = reached.values()
            if address.key not in wrote | others:
                phone._learn(address, "")
        return phone

    def ends_of(self, record: Record, *, received: bool) -> Ends | Refused:
        """The people of a message. Nobody is guessed to have written it."""
        if record.mms:
            return self._ends_of_mms(record, received)
        written, name = record.columns.get("address", ""), record.columns.get("__display_name", "")
        read = filter(None, map(self.owner.read, _BETWEEN.split(written)))
        others = {one.key: one for one in read if not self._is_own(one)}
        if not others:
            return _NOBODY
        people = tuple(others.values())
        if len(people) == 1 and name:
            people = (people[0]._replace(display=name),)
        own = self._card_number(record.columns.get("sub_id", ""))
        if not received:
            return Ends(own, people, people, own)
        return Ends(people[0], (own,), people, own) if len(people) == 1 else _SEVERAL

    def _ends_of_mms(self, record: Record, received: bool) -> Ends | Refused:
        sender = next(iter(self._addresses([record.sender])), None)
        named = {one.key: one for one in self._addresses(record.recipients)}
        own = self._own_among(named.values()) if received else sender
        people = [
            one
            for one in named.values()
            if not self._is_own(one) and (own is None or one.key != own.key)
        ]
        own = own or self._card_number(record.columns.get("sub_id", ""))
        if not received:
            return Ends(own, tuple(people), tuple(people), own) if people else _NOBODY
        if sender is None:
            return _SEVERAL if len(people) > 1 else _NOBODY
        if self._is_own(sender):
            return _ITSELF
        rest = [one for one in people if one.key != sender.key]
        return Ends(sender, (own, *rest), (sender, *rest), own)

    def _own_among(self, named: Iterable[Address]) -> Address | None:
        """Which of the people that a message came to is the phone."""
        own = [one for one in named if self._is_own(one)]
        return own[0]._replace(display="") if own else None

    def _card_number(self, card: str) -> Address:
        """The owner's address for what does not name it: as told, or as other messages tell."""
        learned = self.by_card.get(card) or self.own
        known = [one for key, one in learned.items() if not self._is_told or key in self.owner.keys]
        return known[0] if len(known) == 1 else self.owner.address

    def gives_away(self, address: Address) -> bool:
        """Whether the export itself says that an address is the phone's."""
        return address.key in self.own

    @property
    def _is_told(self) -> bool:
        return self.owner.address.kind is AddressKind.PHONE

    def _is_own(self, address: Address) -> bool:
        return address.key in self.owner.keys or address.key in self.own

    def _learn(self, address: Address, card: str) -> None:
        if address.kind is AddressKind.PHONE:
            self.own[address.key] = address
            if card and not card.startswith("-"):
                self.by_card.setdefault(card, {})[address.key] = address

    def _addresses(self, listed: Iterable[dict[str, str]]) -> Iterable[Address]:
        for one in listed:
            address = self.owner.read(one.get("address", ""))
            if address is not None:
                name = one.get("__display_name") or one.get("display_name", "")
                yield address._replace(display=name) if name else address
