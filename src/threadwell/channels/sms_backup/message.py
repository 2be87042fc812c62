"""One element of a backup becomes one message, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from threadwell.channels.channel import ReadOptions
from threadwell.channels.sms_backup.elements import Element
from threadwell.channels.sms_backup.parts import Parts, read_parts
from threadwell.messages import Address, AddressKind, Message, parse_email, parse_phone

NAME = "sms_backup"

_RECEIVED, _SENT = "1", "2"
_UNSENT = {
    "3": "a draft, which was never sent",
    "4": "was still in the outbox when the backup was made",
    "5": "could not be sent",
    "6": "was still waiting to be sent when the backup was made",
}
#: PduHeaders of Android: who is named by an MMS.
_FROM = "137"
_NAMED = (_FROM, "151", "130", "129")
_SELF = "insert-address-token"
_NOT_DOWNLOADED = "130"
_DELIVERY_FAILED = "64"
_UTF8 = "106"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Below it a number counts seconds: as milliseconds it would lie before the first SMS.
_FIRST_MS = 100_000_000_000
_LAST_MS = 253_402_300_800_000
_LONGEST_DELIVERY = timedelta(days=7)


class Refused(NamedTuple):
    """Why an element is not a message, in plain words without any of its content."""

    reason: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose phone it is. The backup itself never says."""

    address: Address
    keys: frozenset[tuple[AddressKind, str]]
    country: str

    @classmethod
    def of(cls, options: ReadOptions) -> Owner:
        """The first phone number of the practice; a stand-in where none is known."""
        phones = (one for one in options.owner if one.kind is AddressKind.PHONE)
        address = next(phones, Address(AddressKind.OTHER, f"{NAME}:owner"))
        keys = frozenset(one.key for one in options.owner)
        return cls(address, keys, options.country)


def parse_message(element: Element, owner: Owner) -> Message | Refused:
    """The message that an ``<sms>`` or ``<mms>`` holds.

    ``sent`` is when the other side sent it, as far as the network told, and otherwise when the
    phone did.
    """
    attributes = element.attributes
    mms = element.name == "mms"
    box = attributes.get("msg_box" if mms else "type", "")
    if box in _UNSENT:
        return Refused(_UNSENT[box])
    if box not in (_RECEIVED, _SENT):
        return Refused("of a kind that is not known")
    if mms and attributes.get("m_type") == _NOT_DOWNLOADED:
        return Refused("the notice of an MMS whose content was never fetched")
    ms = _milliseconds(attributes.get("date", ""))
    if ms is None:
        return Refused("no usable date")
    received = box == _RECEIVED
    people = _people(element, received, owner)
    if people is None:
        return Refused("nobody is named at its other end")
    subject = _subject(attributes)
    content = read_parts(element.parts) if mms else Parts(attributes.get("body", ""))
    if not (content.text or content.attachments or subject):
        return Refused("empty")
    date = _EPOCH + timedelta(milliseconds=ms)
    thread = ",".join(sorted({one.value for one in people.others}))
    return Message(
        channel=NAME,
        external_id=_external_id(
            box,
            people.sender.value if received else "",
            thread,
            str(ms),
            subject,
            content.text,
            *(sha256(one.content or b"").hexdigest() for one in content.attachments),
        ),
        sender=people.sender,
        recipients=people.recipients,
        sent=_sent(attributes, date) if received else date,
        received=date if received else None,
        text=content.text,
        new_text=content.text,
        thread_hint=thread,
        subject=subject,
        attachments=content.attachments,
        medium="MMSWRIT" if mms else "SMSWRIT",
        notes=(*content.notes, *_notes(element)),
    )


def _external_id(*identity: str) -> str:
    return sha256("\x1f".join(identity).encode()).hexdigest()[:32]


def _notes(element: Element) -> Iterator[str]:
    if element.repaired:
        yield "characters that the backup had spoilt were left out"
    if element.attributes.get("status") == _DELIVERY_FAILED:
        yield "the network reported that it was not delivered"


class _People(NamedTuple):
    sender: Address
    recipients: tuple[Address, ...]
    others: tuple[Address, ...]


def _people(element: Element, received: bool, owner: Owner) -> _People | None:
    attributes = element.attributes
    written = attributes.get("address", "").split("~")
    others = {one.key: one for text in written if (one := _address(text, owner))}
    name = attributes.get("contact_name", "")
    if len(others) == 1 and name and name != "(Unknown)":
        others = {key: one._replace(display=name) for key, one in others.items()}
    named = [
        (pair.get("type"), one)
        for pair in element.addresses
        if (one := _address(pair.get("address", ""), owner))
    ]
    # Only where the list names the practice's own number can the rest of it be told from it.
    if not others or any(one.key in owner.keys for _, one in named):
        for role, one in named:
            if role in _NAMED:
                others.setdefault(one.key, one)
    for key in owner.keys:
        others.pop(key, None)
    if not others:
        return None
    people = tuple(others.values())
    if not received:
        return _People(owner.address, people, people)
    writers = (others[one.key] for role, one in named if role == _FROM and one.key in others)
    sender = next(writers, people[0])
    rest = tuple(one for one in people if one.key != sender.key)
    return _People(sender, (owner.address, *rest), people)


def _address(text: str, owner: Owner) -> Address | None:
    """``None`` for the owner's own token and for what Android writes of a withheld number."""
    if text in ("", _SELF, "-1", "-2", "-3"):
        return None
    phone = parse_phone(text, owner.country)
    if phone is not None:
        return phone
    return parse_email(text) or Address(AddressKind.OTHER, f"sms:{text.strip()}")


def _milliseconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return None
    number = int(text)
    number = number * 1000 if number < _FIRST_MS else number
    return number if _FIRST_MS <= number < _LAST_MS else None


def _sent(attributes: dict[str, str], received: datetime) -> datetime:
    # Some networks send their own local time or nothing; such a claim is not believed.
    ms = _milliseconds(attributes.get("date_sent", ""))
    if ms is None:
        return received
    sent = _EPOCH + timedelta(milliseconds=ms)
    return sent if timedelta() <= received - sent <= _LONGEST_DELIVERY else received


def _subject(attributes: dict[str, str]) -> str:
    subject = attributes.get("sub") or attributes.get("subject") or ""
    if subject == "NoSubject":  # what some networks put where there is none
        return ""
    if attributes.get("sub_cs") == _UTF8:
        # Android keeps the bytes of a UTF-8 subject as if each were a character.
        try:
            return subject.encode("latin-1").decode()
        except UnicodeError:
            return subject
    return subject
