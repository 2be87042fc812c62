"""One message that Meta tells of, of either direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from threadwell.channels.live import Arrived, Remote, Withdrawn
from threadwell.channels.records import Refused, text_of
from threadwell.channels.whatsapp_cloud.contents import read_contents
from threadwell.channels.whatsapp_cloud.values import (
    NAME,
    map_of,
    parse_person,
    parse_time,
    word_of,
)
from threadwell.messages import Address, Message
from threadwell.messages.wordings import wording_id

#: What nobody has sent as a message, and why it is none.
_NONE = {
    "reaction": "a reaction to a message",
    "revoke": "somebody has deleted a message at WhatsApp",
    "request_welcome": "somebody has opened the chat, and has not written yet",
    "system": "news of an account at WhatsApp",
}
_CHANGED = ("user_changed_number", "customer_changed_number", "user_changed_user_id")
_EDITED = "new words for the message that it answers"
_FORWARDED = "forwarded by its sender, who may have got it from somebody else"
_FROM_AD = "written after a click on an advertisement"
_FAILED = "it was not delivered, and nobody has received it"


@dataclass(frozen=True, slots=True)
class Beside:
    """What a delivery says beside its messages.

    ``own`` is the practice's number, ``names`` are those of people by their ids, ``to`` is whom a
    chat is with that is told of as a whole. ``sent`` says that the practice has sent what is told.
    """

    own: Address
    names: Mapping[str, str]
    received: datetime
    country: str
    to: Address | None = None
    sent: bool = False


def read_message(record: dict[str, Any], beside: Beside) -> Message | Arrived | Refused:
    """The message, or why it is none."""
    kind = text_of(record, "type")
    if kind == "system" and text_of(map_of(record, "system"), "type") in _CHANGED:
        return Refused("somebody has another number at WhatsApp now: add it to what they have")
    if kind in _NONE:
        return Refused(_NONE[kind], set_aside=True)
    message_id = word_of(record, "id")
    ends = _ends(record, beside)
    if not message_id or ends is None:
        return Refused("it does not say who wrote to whom")
    edit = map_of(record, "edit") if kind == "edit" else {}
    said = map_of(edit, "message") if edit else record
    contents, context = read_contents(said), map_of(said, "context")
    sender, recipient = ends
    other = recipient if sender.key == beside.own.key else sender
    sent = parse_time(record)
    original = word_of(edit, "original_message_id")
    if original:
        message_id = wording_id(original, contents.text, at=sent or beside.received)
    group = word_of(record, "group_id")
    message = Message(
        channel=NAME,
        external_id=message_id,
        sender=sender,
        recipients=(recipient,),
        sent=sent or beside.received,
        received=beside.received,
        text=contents.text,
        new_text=contents.text,
        thread_hint=f"{f'group:{group}' if group else other.key[1]},{beside.own.key[1]}",
        in_reply_to=original or word_of(context, "id"),
        attachments=tuple(file for file, _ in contents.files),
        notes=(*contents.notes, *_notes(record, context, edit)),
        made_id=True,
        on_arrival=sent is None,
        ours=(beside.own,),
        edited=(sent or beside.received) if original else None,
    )
    files = [Remote(place, at) for at, (_, place) in enumerate(contents.files) if place]
    return Arrived(message, tuple(files)) if files else message


def read_withdrawn(record: dict[str, Any], beside: Beside) -> Withdrawn | None:
    """The message that its sender has deleted; ``None`` where that is not what is told."""
    if text_of(record, "type") != "revoke":
        return None
    ends = _ends(record, beside)
    original = word_of(map_of(record, "revoke"), "original_message_id")
    return Withdrawn(NAME, original, ends[0]) if original and ends else None


def _ends(record: dict[str, Any], beside: Beside) -> tuple[Address, Address] | None:
    """Who wrote, and to whom."""
    writer = parse_person(record, "from", "from_user_id", beside.country)
    ours = beside.sent or (writer is not None and writer.key == beside.own.key)
    if not ours:
        return (_named(record, writer, beside), beside.own) if writer else None
    reader = parse_person(record, "to", "to_user_id", beside.country) or beside.to
    return (beside.own, reader) if reader else None


def _named(record: dict[str, Any], writer: Address, beside: Beside) -> Address:
    ids = (word_of(record, "from"), word_of(record, "from_user_id"))
    name = next((beside.names[one] for one in ids if one in beside.names), "")
    return writer._replace(display=name)


def _notes(record: dict[str, Any], context: dict[str, Any], edit: dict[str, Any]) -> list[str]:
    forwarded = any(context.get(one) is True for one in ("forwarded", "frequently_forwarded"))
    failed = text_of(map_of(record, "history_context"), "status") == "ERROR"
    pairs = (
        (_EDITED, bool(edit)),
        (_FORWARDED, forwarded),
        (_FROM_AD, bool(map_of(record, "referral"))),
        (_FAILED, failed),
    )
    return [note for note, holds in pairs if holds]
