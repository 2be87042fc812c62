"""One record becomes one message, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath

from threadwell.channels.android.columns import (
    EPOCH,
    RECEIVED,
    SENT,
    Refused,
    notes_of,
    read_box,
    sent_time,
    subject_of,
)
from threadwell.channels.android.identity import Identities
from threadwell.channels.android.parts import (
    NOT_THERE,
    Content,
    Parts,
    decoded_base64,
    read_parts,
)
from threadwell.channels.links import is_inside
from threadwell.channels.sms_ie.people import NAME, Phone
from threadwell.channels.sms_ie.records import Record
from threadwell.messages import Message

_DAMAGED = "some characters were damaged in the export and are replaced"
#: What the network calls an MMS, in the order in which it is asked for.
_NETWORK_IDS = ("m_id", "tr_id", "ct_l")


@dataclass(frozen=True, slots=True)
class Media:
    """The folder ``data`` beside the records, where the app puts the bytes of parts."""

    folder: Path

    def file_of(self, part: dict[str, str]) -> Path | None:
        """Where the bytes of a part are, if they are there.

        Only the last piece of the path on the phone counts; no name leads out of the folder.
        """
        name = PurePosixPath(part.get("_data", "")).name
        try:
            path = self.folder / name
            return path if name and path.is_file() and is_inside(path, self.folder) else None
        except (OSError, ValueError):  # a name that no file can have
            return None

    def content_of(self, part: dict[str, str]) -> Content:
        """The bytes of a part. Raises ``OSError`` where its file cannot be read."""
        if encoded := part.get("binary_data"):
            return decoded_base64(encoded)
        if "text" in part:
            return part["text"].encode("utf-8", "replace"), ""
        path = self.file_of(part)
        return (path.read_bytes(), "") if path else (None, NOT_THERE)


def parse_message(record: Record, phone: Phone, ids: Identities, media: Media) -> Message | Refused:
    """The message that a record is. Times of an SMS are in milliseconds, of an MMS in seconds."""
    columns, mms = record.columns, record.mms
    dated = read_box(columns, mms=mms)
    if isinstance(dated, Refused):
        return dated
    received, ms = dated
    ends = phone.ends_of(record, received=received)
    if isinstance(ends, Refused):
        return ends
    subject = subject_of(columns) if mms else ""
    content = read_parts(record.parts, media.content_of) if mms else Parts(columns.get("body", ""))
    if not (content.text or content.attachments or subject):
        return Refused("empty")
    date = EPOCH + timedelta(milliseconds=ms)
    thread = ",".join(sorted({one.key[1] for one in ends.others}))
    who = ends.sender.key[1] if received else thread
    box = RECEIVED if received else SENT
    network = next(filter(None, map(columns.get, _NETWORK_IDS)), "") if mms else ""
    return Message(
        channel=NAME,
        external_id=ids.of(ms, network, box, who, content.text),
        sender=ends.sender,
        recipients=ends.recipients,
        sent=sent_time(columns, date) if received else date,
        received=date if received else None,
        text=content.text,
        new_text=content.text,
        thread_hint=thread,
        subject=subject,
        attachments=content.attachments,
        medium="MMSWRIT" if mms else "SMSWRIT",
        notes=(*content.notes, *_notes(record)),
        made_id=True,
        ours=(ends.own,) if phone.gives_away(ends.own) else (),
    )


def _notes(record: Record) -> Iterator[str]:
    if record.damaged:
        yield _DAMAGED
    yield from notes_of(record.columns)
