"""Who wrote a mail, where lists and shared mailboxes put their own address in the writer's place.

They do so since receivers refuse what claims to come from elsewhere (DMARC, RFC 7960 §4.1.3). The
writer then stands in ``X-Original-From``, in Reply-To, or nowhere; nobody is guessed to be it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from threadwell.channels.email.addresses import parse_addresses
from threadwell.channels.email.mime import Part
from threadwell.messages import Address, AddressKind

SEVERAL_SENDERS = "several senders; the first was taken"
SENDER_ELSEWHERE = "no usable From; the sender was taken from another field"
REPLACED = "From names a list or shared mailbox; the writer was taken from another field"
NO_SENDER = "has no sender"
HIDDEN = "a list or shared mailbox stands in the sender's place, and who wrote it is not certain"

Key = tuple[AddressKind, str]

#: Written by who replaced From, to keep what stood there.
_ORIGINAL = ("x-original-from", "x-google-original-from", "x-original-sender")
#: Written for other purposes as well.
_ANSWERED = ("reply-to", "sender", "resent-from", "resent-sender")
#: Ends an address that reaches nobody (RFC 2606 §2), as some lists make one of the writer's.
_NOWHERE = ".invalid"
_FALLBACK = ("sender", "reply-to", "return-path")
_LIST_FIELDS = ("list-post", "mailing-list", "x-beenthere", "x-mailing-list", "x-loop", "list-id")
#: "'Ana Prado' via Nurses", as lists write the writer's name beside their own address.
_VIA = re.compile(
    r"'?(?P<name>[^'].{0,200}?)'? \(?(?:via|über|a través de|através de|tramite|przez|genom|gennem"
    r"|through|on behalf of|by way of|im auftrag von|de la part de|en nombre de|namens|через) .",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_QUOTES = "'\""


class Sender(NamedTuple):
    """The writer of a mail, or why there is none; ``note`` says where it was found."""

    address: Address | None
    note: str = ""
    refusal: str = ""


def find_sender(mail: Part, recipients: Collection[Address], own: Collection[Key]) -> Sender:
    """Who wrote the mail. ``own`` are the practice's addresses, as far as they are known."""
    named = parse_addresses(mail.fields.get("from", []))
    if not named:
        return _elsewhere(mail)
    sender, note = _one_of(named, mail)
    to = {address.key for address in recipients}
    if not _is_group(sender, mail, to, own):
        return Sender(sender, note)
    return _behind(sender, mail, to, own) or Sender(sender, note)


def _elsewhere(mail: Part) -> Sender:
    for name in _FALLBACK:
        found = parse_addresses(mail.fields.get(name, []))
        if found:
            return Sender(found[0], SENDER_ELSEWHERE)
    return Sender(None, refusal=NO_SENDER)


def _one_of(named: tuple[Address, ...], mail: Part) -> tuple[Address, str]:
    """The one of several authors who sent it: RFC 5322 §3.6.2 has the field Sender for that."""
    if len(named) == 1:
        return named[0], ""
    keys = {address.key for address in parse_addresses(mail.fields.get("sender", []))}
    sent = next((address for address in named if address.key in keys), None)
    return (sent, "") if sent else (named[0], SEVERAL_SENDERS)


def _is_group(sender: Address, mail: Part, to: set[Key], own: Collection[Key]) -> bool:
    """Whether From may name a list or a mailbox that several share."""
    nowhere = sender.value.endswith(_NOWHERE)
    return nowhere or sender.key in own or sender.key in to or _is_list(sender, mail)


def _is_list(sender: Address, mail: Part) -> bool:
    value = sender.value.lower()
    for name in _LIST_FIELDS:
        for field in mail.fields.get(name, ()):
            text = field.lower()
            # A List-Id has a dot for the @ (RFC 2919 §2).
            if name == "list-id":
                ids = _IN_BRACKETS.findall(text) or [text.strip()]
                if value.replace("@", ".") in ids:
                    return True
            elif value in re.split(r"[\s<>,;:?\"]+", text):
                return True
    return False


def _behind(sender: Address, mail: Part, to: set[Key], own: Collection[Key]) -> Sender | None:
    """The writer behind the address of a group; ``None`` if the group itself may have written."""
    for name in _ORIGINAL:
        original = parse_addresses(mail.fields.get(name, []))
        if len(original) == 1 and original[0].key != sender.key:
            return Sender(_with_name(original[0], mail), REPLACED)
    via = _VIA.match(sender.display)
    is_list = _is_list(sender, mail)
    # A practice that writes to itself may be a form on its web site, filled in by a patient.
    to_itself = sender.key in own and sender.key in to
    if not (via or is_list or to_itself):
        return None
    avoided = {sender.key, *to} if is_list or via else {sender.key, *to, *own}
    found = _candidates(mail, avoided)
    if to_itself and not (via or is_list):
        home = sender.value.rpartition("@")[2]
        found = [address for address in found if address.value.rpartition("@")[2] != home]
    if via and len(found) > 1:
        name = via["name"].strip(_QUOTES).casefold()
        found = [address for address in found if address.display.casefold() == name] or found
    if len(found) == 1:
        return Sender(found[0], REPLACED)
    return Sender(None, refusal=HIDDEN) if via or len(found) > 1 else None


def _candidates(mail: Part, avoided: set[Key]) -> list[Address]:
    found: dict[Key, Address] = {}
    for name in _ANSWERED:
        for address in parse_addresses(mail.fields.get(name, [])):
            if address.key not in avoided and not _is_list(address, mail):
                found.setdefault(address.key, address)
    return list(found.values())


def _with_name(address: Address, mail: Part) -> Address:
    """The address, with the name that another field has beside it."""
    if address.display:
        return address
    others: Iterable[Address] = parse_addresses(mail.fields.get("reply-to", []))
    return next((other for other in others if other.key == address.key), address)
