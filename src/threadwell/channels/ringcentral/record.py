"""One record of a message store becomes one message, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threadwell.channels.channel import ReadOptions
from threadwell.channels.instants import parse_instant
from threadwell.channels.records import Refused, id_of, maps_of, text_of
from threadwell.messages import (
    OCTETS,
    Address,
    AddressKind,
    Attachment,
    Message,
    gaps,
    media_type_of,
    parse_phone,
)

NAME = "ringcentral"
MEDIUM = "SMSWRIT"

#: The medium of each kind of record. The text of an SMS with files is one of an MMS.
_MEDIA = {"SMS": MEDIUM, "Text": MEDIUM, "Fax": "FAXWRIT", "VoiceMail": "PHONE"}
_FAILED = {
    "DeliveryFailed": "it was not delivered, and nobody has received it (RingCentral)",
    "SendingFailed": "it could not be sent, and nobody has received it (RingCentral)",
}
_UNDELETED = "Alive"
_DELETED = "it had been deleted when the export was made"
_NOT_THERE = "is not in the export of the message store"


def message_of(
    options: ReadOptions, record: dict[str, Any], notes: tuple[str, ...]
) -> Message | Refused:
    """The message of a record; ``notes`` are about what was read of it already.

    ``subject`` is the text of a message, and not its topic.
    """
    kind, status = text_of(record, "type"), text_of(record, "messageStatus")
    if kind == "Pager":
        return Refused("a message between extensions: nobody outside took part", set_aside=True)
    if kind not in _MEDIA:
        return Refused("a record of a kind that is not known")
    if status == "Queued":
        return Refused("it was not sent yet when the export was made", set_aside=True)
    id_, thread = id_of(record.get("id")), _thread(record)
    sent = parse_instant(text_of(record, "creationTime"))
    inbound = text_of(record, "direction") == "Inbound"
    if isinstance(id_, Refused):
        return id_
    if isinstance(thread, Refused):
        return thread
    if not id_:
        return Refused("it has no id")
    if sent is None:
        return Refused("no date and time that can be read")
    senders = _people(maps_of(record.get("from")), options)
    to = _people(maps_of(record.get("to")), options)
    if not (senders and to):
        return Refused("it does not say who wrote to whom")
    files = _files(record, kind)
    text = text_of(record, "subject")
    ours = _targets(maps_of(record.get("to")), to, options) if inbound else tuple(senders)
    kept = [_FAILED.get(status, ""), "" if _is_alive(record) else _DELETED]
    wordless = [] if text or files else [gaps.NO_WORDS]
    return Message(
        channel=NAME,
        external_id=id_,
        sender=senders[0],
        recipients=tuple(to),
        sent=sent,
        text=text,
        new_text=text,
        thread_hint=thread or _pair(senders[0], to),
        attachments=files,
        medium="MMSWRIT" if files and kind in ("SMS", "Text") else _MEDIA[kind],
        notes=(*notes, *filter(None, kept), *wordless),
        ours=ours,
    )


def _is_alive(record: dict[str, Any]) -> bool:
    return text_of(record, "availability") in ("", _UNDELETED)


def _thread(record: dict[str, Any]) -> str | Refused:
    conversation = record.get("conversation")
    inner = conversation.get("id") if isinstance(conversation, dict) else None
    return id_of(record.get("conversationId") if inner is None else inner)


def _people(parties: Iterable[dict[str, Any]], options: ReadOptions) -> list[Address]:
    return [one for party in parties if (one := _address(party, options)) is not None]


def _address(party: dict[str, Any], options: ReadOptions) -> Address | None:
    """The number of a party, or its extension where it has no number of its own."""
    name, number = text_of(party, "name"), text_of(party, "phoneNumber")
    if number:
        found = parse_phone(number, options.country)
        return (found or Address(AddressKind.OTHER, f"{NAME}:{number}"))._replace(display=name)
    extension = id_of(party.get("extensionNumber"))
    if isinstance(extension, Refused) or not extension:
        return None
    return Address(AddressKind.OTHER, f"{NAME}:{extension}", name)


def _targets(
    parties: list[dict[str, Any]], to: list[Address], options: ReadOptions
) -> tuple[Address, ...]:
    """Which of the recipients is the practice: the only one, or that which is marked so."""
    if len(to) == 1:
        return tuple(to)
    return tuple(_people((one for one in parties if one.get("target") is True), options))


def _pair(sender: Address, to: Iterable[Address]) -> str:
    return ",".join(sorted({one.key[1] for one in (sender, *to)}))


def _files(record: dict[str, Any], kind: str) -> tuple[Attachment, ...]:
    """The files that came with it; of a text, the words are one of them."""
    out = []
    for at, one in enumerate(maps_of(record.get("attachments")), start=1):
        type_ = media_type_of(text_of(one, "contentType") or OCTETS)
        is_words = text_of(one, "type") == "Text" or type_.partition(";")[0] == "text/plain"
        if kind in ("SMS", "Text") and is_words:
            continue
        name = text_of(one, "fileName") or f"file-{at}"
        out.append(Attachment(name, type_, None, _NOT_THERE))
    return tuple(out)
