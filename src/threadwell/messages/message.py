"""The one shape in which every channel hands over what arrived."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from datetime import datetime

import msgspec

from threadwell.messages.address import Address


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message.

    ``content`` is ``None`` where the export names a file that is not there; ``note`` then ends the
    sentence *a file of it …* (``is not in the backup``).
    """

    filename: str
    content_type: str
    content: bytes | None
    note: str = ""


# No dataclass: of one that is frozen each member is set by a call, twenty times as slow in all.
class Message(msgspec.Struct, frozen=True):
    """One message, parsed once at the channel's edge; nothing downstream checks it again.

    ``external_id`` is the provider's stable id, or one derived from the content where the source
    has none; the same message read again, from any export, has the same id within ``channel``.
    ``thread_hint`` is the channel's own thread (an SMS address set, a WhatsApp chat); it is empty
    where the thread follows from ``references`` (mail). ``references`` are the external ids that
    the message names, oldest first; ``in_reply_to`` is the one that it answers, if it says so.
    ``sent`` is aware. ``text`` is the whole text; ``new_text`` the part its sender wrote now,
    without quoted replies and signature, and equals ``text`` where there is none to strip.
    ``notes`` say, in plain words without any content, what could not be known.

    ``wall`` is the time as it was written, naive, where it names no zone: ``sent`` is then what
    the zone of the import makes of it. ``made_id`` says that two messages with that ``external_id``
    are copies of one, and may differ in how complete they are: it was made out of what every copy
    of the message has (thread, time, sender, words), or its provider never gives it twice.
    ``ours`` are the addresses of it that are the practice's by what its source says: the number
    that an account of the practice has. ``earlier_ids`` are those that earlier builds may have made
    of it. ``apart`` is for intake alone: it tells messages from each other to which their provider
    has given one id. ``on_arrival`` says that nothing tells when it was sent: ``sent`` is when it
    was delivered to us, and a copy that has its time knows better. ``author`` is the person of the
    practice (``Practitioner/…``) who has written it here, as a reply that is to be sent; it is
    empty for whatever came from outside. ``edited`` is when its sender gave it these words in the
    place of others: of the wordings of one message, which ``wordings.py`` tells by their ids, the
    last one counts. It is ``taken_back`` where its sender has deleted it. ``source`` is the account
    at the provider that has brought it, where each account gives ids of its own: two of them may
    bring one message under two ids. It is empty where nothing tells it, or where one id is the same
    everywhere. ``besides`` are the ids that its export has of its sender in the same minute, its
    own among them, where one of these messages was deleted: none of them is the deleted one.
    ``also`` are other ids that its provider gives to the same message, as it says itself.
    ``earlier_words`` are the text and the new text as earlier builds read them, where nothing else
    tells it: those had words in them that nobody saw.
    """

    channel: str
    external_id: str
    sender: Address
    recipients: tuple[Address, ...]
    sent: datetime
    text: str
    new_text: str
    thread_hint: str = ""
    received: datetime | None = None
    subject: str = ""
    references: tuple[str, ...] = ()
    in_reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()
    medium: str = ""
    notes: tuple[str, ...] = ()
    wall: datetime | None = None
    made_id: bool = False
    apart: str = ""
    on_arrival: bool = False
    earlier_ids: tuple[str, ...] = ()
    ours: tuple[Address, ...] = ()
    author: str = ""
    edited: datetime | None = None
    taken_back: bool = False
    source: str = ""
    besides: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    earlier_words: tuple[str, ...] = ()


# It is varied as other values are, by ``dataclasses.replace``, which looks for this. Who asks for
# its ``fields`` learns which may be left out.
_needed = len(Message.__struct_fields__) - len(Message.__struct_defaults__)
_like = make_dataclass(
    "_like",
    [(name, Message.__annotations__[name]) for name in Message.__struct_fields__[:_needed]]
    + [
        (name, Message.__annotations__[name], field(default=default))
        for name, default in zip(
            Message.__struct_fields__[_needed:], Message.__struct_defaults__, strict=True
        )
    ],
)
Message.__dataclass_fields__ = _like.__dataclass_fields__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Broken:
    """What a channel found and could not read as a message: its bytes, and why.

    ``source`` says where it stood (``inbox.mbox, message 17``); ``reason`` is plain words without
    any of the content. ``content`` is the whole of it, so that nothing is lost. ``set_aside`` says
    that it was read, and is nothing that anybody sent as a message: a draft, spam, a notice.
    """

    channel: str
    source: str
    reason: str
    content: bytes
    content_type: str = "application/octet-stream"
    set_aside: bool = False
