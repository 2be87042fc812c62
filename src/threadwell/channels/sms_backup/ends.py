"""Who is at both ends of a message: whose phone it is, who wrote, and who else received it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from threadwell.channels.android.columns import Refused
from threadwell.channels.android.owner import Owner
from threadwell.channels.sms_backup.elements import Element
from threadwell.messages import Address

NAME = "sms_backup"

#: PduHeaders of Android: who is named by an MMS.
_FROM = "137"
_NAMED = (_FROM, "151", "130", "129")
_BETWEEN = re.compile("[~;,]")


class Ends(NamedTuple):
    """``others`` are all but the owner; ``thread`` names them, and ``who`` the one who wrote.

    Of what the owner wrote, ``who`` is the thread.
    """

    sender: Address
    recipients: tuple[Address, ...]
    others: tuple[Address, ...]
    thread: str
    who: str


def read_ends(element: Element, received: bool, owner: Owner) -> Ends | Refused:
    """The people of a message. Nobody is guessed to have written it."""
    attributes = element.attributes
    written, name = attributes.get("address", ""), attributes.get("contact_name", "")
    if not element.addresses:
        return _alike(written, name, received, owner)
    return _ends(written, name, element.addresses, received, owner)


@lru_cache(maxsize=4096)
def _alike(written: str, name: str, received: bool, owner: Owner) -> Ends | Refused:
    """The same for all messages of a thread that list nobody: most of a backup."""
    return _ends(written, name, (), received, owner)


def _ends(
    written: str,
    name: str,
    addresses: Iterable[dict[str, str]],
    received: bool,
    owner: Owner,
) -> Ends | Refused:
    texts = _BETWEEN.split(written)
    others = {one.key: one for text in texts if (one := owner.read(text))}
    if len(others) == 1 and name and name != "(Unknown)":
        others = {key: one._replace(display=name) for key, one in others.items()}
    named = [
        (pair.get("type"), one)
        for pair in addresses
        if (one := owner.read(pair.get("address", "")))
    ]
    is_pair = len(others) == 1
    # Only where the list names the practice's own number can the rest of it be told from it.
    if not others or any(one.key in owner.keys for _, one in named):
        is_pair = False
        for role, one in named:
            if role in _NAMED:
                others.setdefault(one.key, one)
    writers = [one for role, one in named if role == _FROM]
    if received and not is_pair:
        # Who is named as the sender is one of them, though the phone may not list them.
        for one in writers:
            others.setdefault(one.key, one)
    for key in owner.keys:
        others.pop(key, None)
    if not others:
        return Refused("nobody is named at its other end")
    people = tuple(others.values())
    thread = ",".join(sorted({one.key[1] for one in people}))
    if not received:
        return Ends(owner.address, people, people, thread, thread)
    if any(one.key in owner.keys for one in writers):
        return Refused("it was received, and names the phone's own number as its sender")
    known = [others[one.key] for one in writers if one.key in others]
    if not known and len(people) > 1:
        return Refused("several people are in it, and none is named as its sender")
    sender = next(iter(known), people[0])
    rest = tuple(one for one in people if one.key != sender.key)
    return Ends(sender, (owner.address, *rest), people, thread, sender.key[1])
