"""Whom messages between some addresses may be about, or why that cannot be told (§3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from threadwell.encounters.people import Party
from threadwell.messages import Address, Message
from threadwell.threads import circle_key


@dataclass(frozen=True, slots=True)
class Held:
    """A message that has to wait. ``reason`` is a code; ``unknown`` the addresses nobody has."""

    message: Message
    reason: str
    unknown: tuple[Address, ...] = ()


class Refusal(NamedTuple):
    """Why messages of a route have to wait, as in ``Held``."""

    reason: str
    unknown: tuple[Address, ...] = ()


class Route(NamedTuple):
    """From one address to others, with what all messages on this way have in common.

    ``patients`` are those whom they may be about, in order, and ``circle`` their key. ``keys`` are
    the address keys of sender and recipients, and ``parties`` who is behind them. ``inbound`` is
    true where a patient's side writes.
    """

    circle: str
    patients: tuple[str, ...]
    keys: tuple[str, ...]
    parties: tuple[Party, ...]
    inbound: bool


class Directory(Protocol):
    """Answers whose an address is."""

    def party(self, address: Address) -> Party:
        """Everybody who has the address."""
        ...


def address_key(address: Address) -> str:
    """The key of an address among the parties of a circle."""
    kind, value = address.key
    return f"{kind}:{value}"


def route(
    sender: Address, recipients: Sequence[Address], people: Directory, *, strangers: bool = False
) -> Route | Refusal:
    """The way from ``sender`` to ``recipients``, or why its messages have to wait.

    Somebody who works for the practice and has the same address as a patient counts as the
    practice wherever another patient's side takes part. With ``strangers`` a Patient is made of
    whoever is unknown; such a stranger counts only where no other patient does, and in copy of
    another stranger not at all. So it never matters which stranger was met first.
    """
    parties = tuple(map(people.party, (sender, *recipients)))
    if not parties[0].known:
        return Refusal("unknown-sender", (sender,))
    families = [party for party in parties if party.circle]
    families = [party for party in families if not party.practice] or families
    unknown = tuple(one for one in recipients if not people.party(one).known)
    if all(party.stranger for party in families):
        if parties[0] in families:
            families = [parties[0]]
        elif strangers and unknown:
            return Refusal("unknown-recipient", unknown)
    else:
        families = [party for party in families if not party.stranger]
    if any(party.shared for party in families):
        return Refusal("shared-address")
    patients = tuple(sorted(set().union(*(party.circle for party in families))))
    if not patients:
        return Refusal("unknown-recipient" if unknown else "no-patient", unknown)
    keys = tuple(map(address_key, (sender, *recipients)))
    inbound = not parties[0].circle.isdisjoint(patients)
    return Route(circle_key(patients), patients, keys, parties, inbound)
