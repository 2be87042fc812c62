"""Whose phone it is, and how a phone writes addresses."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.channels.channel import ReadOptions
from threadwell.messages import Address, AddressKind, parse_address

#: What a phone writes for itself, and Android for a number that was withheld.
_SELF = "insert-address-token"
_NOBODY = frozenset({"", _SELF, "-1", "-2", "-3"})


@dataclass(frozen=True, slots=True, eq=False)
class Owner:
    """Whose phone it is. An export of it need not say.

    One of these is made for a reading; as it is itself alone, what is remembered of it is found
    without a look at its addresses.
    """

    address: Address
    keys: frozenset[tuple[AddressKind, str]]
    country: str

    @classmethod
    def of(cls, options: ReadOptions, channel: str) -> Owner:
        """The first phone number of the practice; a stand-in where none is known."""
        phones = (one for one in options.owner if one.kind is AddressKind.PHONE)
        address = next(phones, Address(AddressKind.OTHER, f"{channel}:owner"))
        keys = frozenset(one.key for one in options.owner)
        return cls(address, keys, options.country)

    def read(self, text: str) -> Address | None:
        """The address that a phone has written; ``None`` where it names nobody.

        A name in the place of a number (``HealthPlan``) is one that a network shows.
        """
        bare = text.strip()
        if bare in _NOBODY:
            return None
        return parse_address(bare, self.country) or Address(AddressKind.OTHER, f"sms:{bare}")
