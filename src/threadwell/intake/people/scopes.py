"""What an answer may hold for that is given at a message: its shared addresses, thread, itself."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.question import Scope
from threadwell.intake.people.route import address_key
from threadwell.intake.people.writers import At
from threadwell.messages import Address

#: What an answer may hold for.
HOLDS_FOR = ("address", "thread", "message")


async def scopes_of(
    addresses: Sequence[Address], where: At, holds_for: str, people: AddressBook
) -> list[Scope]:
    """The scopes of a message with those addresses, one for each that several patients share.

    An address counts, too, of which somebody has said before who uses it.
    """
    await people.resolve(addresses)
    shared = [
        one._replace(display="")
        for one in addresses
        if people.party(one).shared or people.writers.speak_of(address_key(one))
    ]
    thread = where.thread if holds_for == "thread" else None
    message = where.messages[0] if holds_for == "message" else None
    return [Scope(one, thread, message) for one in dict.fromkeys(shared)]
