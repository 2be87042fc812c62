"""The two ends of a message, as Twilio writes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from threadwell.channels.services import SERVICES
from threadwell.channels.twilio.identity import NAME
from threadwell.messages import Address, AddressKind, parse_phone
from threadwell.messages.spreadsheet import is_damaged, is_difference, says_nothing, unguarded

_TO_APPS = ("whatsapp", "messenger")
_OWNER = Address(AddressKind.OTHER, f"{NAME}:owner")


class DamagedAddress(ValueError):
    """A spreadsheet has lost digits of a number."""


class Ends(NamedTuple):
    """Who wrote to whom; ``own`` is the practice's address among them.

    ``thread`` names the pair and the service between them.
    """

    sender: Address
    recipient: Address
    own: Address
    thread: str
    medium: str


@lru_cache(maxsize=65_536)
def parse_end(text: str, country: str) -> Address | None:
    """The address that one end of a message is; ``None`` where nobody is named.

    A number, also behind the name of a service, is a phone. A name as sender (``HARBOURLANE``)
    is ``sms:HARBOURLANE``, as in every channel of texts; anything else is what Twilio calls it
    (``messenger:…``, ``sim:…``). Raises ``DamagedAddress``.
    """
    bare = unguarded(text)
    if says_nothing(bare):
        return None
    if is_damaged(bare) or is_difference(bare):
        raise DamagedAddress
    phone = parse_phone(bare, country)
    if phone is not None:
        return phone
    return Address(AddressKind.OTHER, bare if ":" in bare else f"sms:{bare}")


def ends_of(
    from_: str, to: str, *, inbound: bool, service_sid: str, owner: Sequence[Address], country: str
) -> Ends | None:
    """The ends of a message; ``None`` where the other one is not named.

    Until a messaging service (``service_sid``) has chosen a sender nobody is named as such: then it
    is the service, or else the first of ``owner``. Raises ``DamagedAddress``.
    """
    sender, recipient = parse_end(from_, country), parse_end(to, country)
    other, own = (sender, recipient) if inbound else (recipient, sender)
    if other is None:
        return None
    if own is None and service_sid:
        own = Address(AddressKind.OTHER, f"{NAME}:{service_sid}")
    own = own or next(iter(owner), _OWNER)
    service = _service(from_ if inbound else to) or _service(to if inbound else from_)
    return Ends(
        other if inbound else own,
        own if inbound else other,
        own,
        f"{service}{':' if service else ''}{other.key[1]},{own.key[1]}",
        "APPWRIT" if service in _TO_APPS else "",
    )


def _service(written: str) -> str:
    name = unguarded(written).partition(":")[0].lower()
    return name if name in SERVICES else ""
