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
    """A message that has to wait.

    ``reason`` is a code; ``unknown`` are the addresses that nobody has, ``shared`` those of which
    nobody has said who of several patients uses them. ``twin`` is the message (``Communication/…``)
    that it may be, come by another way.
    """

    message: Message
    reason: str
    unknown: tuple[Address, ...] = ()
    shared: tuple[Address, ...] = ()
    twin: str = ""


class Refusal(NamedTuple):
    """Why messages of a route have to wait, as in ``Held``."""

    reason: str
    unknown: tuple[Address, ...] = ()
    shared: tuple[Address, ...] = ()


class Route(NamedTuple):
    """From one address to others, with what all messages on this way have in common.

    ``patients`` are those whom they may be about, in order, and ``circle`` their key. ``keys`` are
    those of sender and recipients among the parties of the circle, ``parties`` who is behind
    them. ``inbound`` is true where a patient's side writes.
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
    """The key of an address, by which it is looked up."""
    kind, value = address.key
    return f"{kind}:{value}"


def party_key(address: Address, party: Party) -> str:
    """The key of an address, and of what was said of it, among the parties of a circle."""
    key = address_key(address)
    return f"{key}={party.said}" if party.said else key


def as_author(address: Address, author: str) -> tuple[str, Party]:
    """The party of the person (``Practitioner/…``) who writes from an address of the practice.

    Its key comes first. Whoever has the address by itself is another party.
    """
    bare = address._replace(display="")
    return f"{address_key(address)}@{author}", Party(bare, practice=author)


def authored(way: Route, message: Message) -> Route:
    """The way of a message that a person of the practice has written here."""
    if not message.author:
        return way
    key, party = as_author(message.sender, message.author)
    return way._replace(keys=(key, *way.keys[1:]), parties=(party, *way.parties[1:]))


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
    unknown = tuple(dict.fromkeys(one for one in recipients if not people.party(one).known))
    if all(party.stranger for party in families):
        if parties[0] in families:
            families = [parties[0]]
        elif strangers and unknown:
            return Refusal("unknown-recipient", unknown)
    else:
        families = [party for party in families if not party.stranger]
    if shared := [party.address for party in families if party.shared]:
        return Refusal("shared-address", shared=tuple(dict.fromkeys(shared)))
    patients = tuple(sorted(set().union(*(party.circle for party in families))))
    if not patients:
        return Refusal("unknown-recipient" if unknown else "no-patient", unknown)
    keys = tuple(map(party_key, (sender, *recipients), parties))
    inbound = not parties[0].circle.isdisjoint(patients)
    return Route(circle_key(patients), patients, keys, parties, inbound)
