"""Whom a message is about, or why it cannot have a place (§3). Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from threadwell.encounters.people import Party
from threadwell.encounters.times import microseconds
from threadwell.messages import Address, Message

_DAY_US = timedelta(days=1) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Held:
    """A message that has to wait. ``reason`` is a code; ``unknown`` the addresses nobody has."""

    message: Message
    reason: str
    unknown: tuple[Address, ...] = ()


class Directory(Protocol):
    """Answers whose an address is."""

    def party(self, address: Address) -> Party:
        """Everybody who has the address."""
        ...

    def is_own(self, address: Address) -> bool:
        """Whether it is the practice's own."""
        ...


def circle_of(message: Message, people: Directory, now: int) -> tuple[str, ...] | Held:
    """The patients whom the message may be about, in order; ``Held`` if it cannot be told.

    ``now`` is in microseconds since 1970 UTC. Somebody who works for the practice and has the
    same address as a patient counts as the practice wherever another patient's side takes part.
    """
    if microseconds(message.sent) > now + _DAY_US:
        return Held(message, "future-date")
    sender = people.party(message.sender)
    if not sender.known:
        return Held(message, "unknown-sender", (message.sender,))
    parties = [sender, *map(people.party, message.recipients)]
    families = [party for party in parties if party.circle]
    outside = [party for party in families if not party.practice]
    circle = sorted(set().union(*(party.circle for party in outside or families)))
    if any(party.shared for party in outside or families):
        return Held(message, "shared-address")
    if circle:
        return tuple(circle)
    unknown = tuple(_unknown(message.recipients, people))
    return Held(message, "unknown-recipient" if unknown else "no-patient", unknown)


def _unknown(addresses: Iterable[Address], people: Directory) -> list[Address]:
    return [one for one in addresses if not people.party(one).known]


def about(sender: Party, mentioned: frozenset[str], circle: tuple[str, ...]) -> frozenset[str]:
    """The patients that a message tells to be about, out of those of its circle.

    Those whom it names; if it names none, the one for whom ``sender`` can only be writing.
    """
    if len(circle) == 1:
        return frozenset(circle)
    own = sender.circle.intersection(circle)
    return mentioned or (frozenset(own) if len(own) == 1 else frozenset())
