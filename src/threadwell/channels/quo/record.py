"""One record of Quo becomes one message, or the reason why it is none."""

from __future__ import annotations

import re
from typing import Any

from threadwell.channels.channel import ReadOptions
from threadwell.channels.instants import parse_instant
from threadwell.channels.records import Refused, maps_of, text_of
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

NAME = "quo"
MEDIUM = "SMSWRIT"

_ID = re.compile(r"AC[0-9A-Za-z]{1,64}")
_FAILED = frozenset({"undelivered", "failed"})
_NOT_THERE = "is not in the export: Quo keeps it behind a link"
#: What a record has that is one of a call.
_OF_CALLS = frozenset({"duration", "answeredAt", "answeredBy", "participants", "callRoute"})
#: How deep a record stands in what Quo sends of an event.
_LEVELS = 3


def message_of(
    options: ReadOptions, record: dict[str, Any], notes: tuple[str, ...]
) -> Message | Refused:
    """The message of a record; ``notes`` are about what was read of it already."""
    record = _unwrapped(record)
    if record.get("object") == "call" or ("text" not in record and _OF_CALLS & record.keys()):
        return Refused("a call", set_aside=True)
    id_, status = text_of(record, "id"), text_of(record, "status")
    direction = text_of(record, "direction")
    sent = parse_instant(text_of(record, "createdAt"))
    sender = _address(text_of(record, "from"), options)
    to = _recipients(record.get("to"), options)
    if not _ID.fullmatch(id_):
        return Refused("its id is not that of a message of Quo")
    if direction not in ("incoming", "outgoing"):
        return Refused("nothing says who wrote it: there is no direction")
    if status == "queued":
        return Refused("it was not sent yet when the export was made", set_aside=True)
    if sent is None:
        return Refused("no date and time that can be read")
    if sender is None or not to:
        return Refused("it does not say who wrote to whom")
    text = text_of(record, "text", "body")
    files = _files(record)
    # Of a group, nothing says which of the recipients is the practice.
    ours = (to if len(to) == 1 else ()) if direction == "incoming" else (sender,)
    return Message(
        channel=NAME,
        external_id=id_,
        sender=sender,
        recipients=to,
        sent=sent,
        text=text,
        new_text=text,
        thread_hint=text_of(record, "conversationId")
        or ",".join(sorted({one.key[1] for one in (sender, *to)})),
        attachments=files,
        medium="MMSWRIT" if files else MEDIUM,
        notes=(*notes, *_notes(record, status, direction, has_content=bool(text or files))),
        ours=ours,
    )


def _unwrapped(record: dict[str, Any]) -> dict[str, Any]:
    """The record in an event, or in what the API answers of one message."""
    for _ in range(_LEVELS):
        inner = record.get("data", record.get("object"))
        if "direction" in record or not isinstance(inner, dict):
            break
        record = inner
    return record


def _notes(record: dict[str, Any], status: str, direction: str, *, has_content: bool) -> list[str]:
    out = []
    if status in _FAILED:
        out.append(f"it was not delivered, and nobody has received it (Quo: {status})")
    if direction == "outgoing" and (user := text_of(record, "userId")):
        out.append(f"written by the user {user} of Quo")
    return out if has_content else [*out, gaps.NO_WORDS]


def _recipients(value: object, options: ReadOptions) -> tuple[Address, ...]:
    written = value if isinstance(value, list) else [value]
    found = [_address(one, options) for one in written if isinstance(one, str)]
    return tuple([one for one in found if one is not None])


def _address(written: str, options: ReadOptions) -> Address | None:
    if not written.strip():
        return None
    return parse_phone(written, options.country) or Address(
        AddressKind.OTHER, written if ":" in written else f"sms:{written.strip()}"
    )


def _files(record: dict[str, Any]) -> tuple[Attachment, ...]:
    return tuple(
        [
            Attachment(
                f"media-{at}", media_type_of(text_of(one, "type") or OCTETS), None, _NOT_THERE
            )
            for at, one in enumerate(maps_of(record.get("media")), start=1)
        ]
    )
