"""An export of voicemail becomes messages, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from threadwell.channels.channel import Channel, NeedsZone, ReadOptions
from threadwell.messages import Address, AddressKind, Broken, Message, parse_phone

NAME = "voicemail"
#: Who is called where nobody said which number is the practice's.
_OWNER = Address(AddressKind.OTHER, f"{NAME}:owner")


class _Call(msgspec.Struct):
    id: str
    caller: str
    left_at: datetime
    transcript: str


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file is such an export: it says so at its beginning."""
    return head.lstrip().startswith(b'{"voicemail_export":')


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every call of the file, in its order; a ``Broken`` for each that is none."""
    try:
        calls = json.loads(path.read_bytes())["calls"]
    except (ValueError, KeyError, TypeError):
        yield Broken(NAME, path.name, "the export is cut off or damaged", path.read_bytes())
        return
    for number, call in enumerate(calls, start=1):
        try:
            yield _message(msgspec.convert(call, _Call), options)
        except ValueError:
            content = json.dumps(call).encode()
            yield Broken(NAME, f"{path.name}, call {number}", "a field is missing", content)


def _message(call: _Call, options: ReadOptions) -> Message:
    caller = parse_phone(call.caller, options.country)
    if caller is None:
        raise ValueError("the caller is no phone number")
    notes: tuple[str, ...] = ()
    left_at = call.left_at
    if left_at.tzinfo is None:
        if options.zone is None:
            raise NeedsZone
        left_at = left_at.replace(tzinfo=options.zone)
        notes = ("the time was written without a zone",)
    return Message(
        channel=NAME,
        external_id=call.id,
        sender=caller,
        recipients=options.owner[:1] or (_OWNER,),
        sent=left_at,
        text=call.transcript,
        new_text=call.transcript,
        thread_hint=caller.value,
        notes=notes,
    )


CHANNEL = Channel(
    name=NAME,
    label="Voicemail",
    description="Voicemail of a phone system: the transcripts of its export",
    sniff=sniff,
    read=read,
    medium="PHONE",
)
