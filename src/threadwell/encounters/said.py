"""What a message says, in one form for one that was read and for one that is stored.

Two copies of a message are compared by it (``copies.py``). Nothing here is about threads, sessions
or who people are.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from hashlib import sha1
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.people import addresses_of
from threadwell.encounters.times import fhir_time, microseconds, parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.messages import Address, Attachment, Message, gaps, media_type_of

#: Characters that a FHIR ``string`` may not hold (§2.24.0.1), and halves of surrogate pairs.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
#: A FHIR ``string`` holds at most 1 MB; a character takes up to four bytes.
MOST_CHARACTERS = 250_000

CLEANED = "control characters were left out"
EMPTY = "the message is empty"
#: What earlier builds wrote of a file that is missing.
_OF_A_FILE_ONCE = (
    "was left out of the export",
    "is not beside the export",
    "is not in the backup",
    "is damaged in the backup",
)
#: Notes that tell what one copy of a message lacks, beside those about a file.
_GAPS = (EMPTY, gaps.NO_TEXT, gaps.CUT_OFF, gaps.CUT_TEXT, gaps.NO_WORDS, gaps.NO_ZONE)


class File(NamedTuple):
    """A file of a message. ``hash`` is its SHA-1 in base64, ``""`` where the bytes are missing."""

    name: str
    type: str
    size: int = 0
    hash: str = ""

    @property
    def there(self) -> bool:
        """Whether its bytes are known."""
        return self.hash != ""

    @property
    def bytes_key(self) -> tuple[str, int]:
        """Equal for files with the same bytes."""
        return self.hash, self.size


class Said(NamedTuple):
    """All of a message that copies of it may differ in.

    Addresses are without the names that came with them. ``sent`` and ``received`` are in
    microseconds since 1970 UTC, ``received`` 0 where nothing tells it. ``wall`` is the time as it
    was written, where that names no zone. ``thread`` is the channel's own, ``""`` where it follows
    from ``references``. ``gaps`` are those of its notes that say what this copy lacks. Texts are as
    FHIR can hold them. ``on_arrival`` says that ``sent`` is no more than when it arrived.
    """

    sender: Address
    recipients: tuple[Address, ...]
    sent: int
    wall: str
    received: int
    thread: str
    subject: str
    text: str
    new_text: str
    references: tuple[str, ...]
    in_reply_to: str
    medium: str
    files: tuple[File, ...]
    notes: tuple[str, ...]
    gaps: tuple[str, ...]
    on_arrival: bool = False


def said(message: Message) -> Said:
    """What a message says that was read."""
    text = text_of(message)
    return Said(
        _bare(message.sender),
        tuple(dict.fromkeys(map(_bare, message.recipients))),
        microseconds(message.sent),
        message.wall.isoformat() if message.wall else "",
        microseconds(message.received) if message.received else 0,
        message.thread_hint,
        topic_of(message),
        text,
        new_words(message) or text,
        named_ids(message),
        message.in_reply_to,
        message.medium,
        tuple(map(file_of, message.attachments)),
        *notes_of(message),
        message.on_arrival,
    )


def said_in(stored: Resource, thread: str) -> Said | None:
    """What a stored child says; ``None`` if it is not one of Threadwell's.

    ``thread`` is the channel's own thread, as ``Said`` has it.
    """
    sender = addresses_of(stored.get("sender") or {})
    to = [addresses_of(one) for one in stored.get("recipient") or ()]
    if "sent" not in stored or not sender or not all(to):
        return None
    payload = stored.get("payload") or ()
    identifiers = [
        one
        for one in stored.get("identifier") or ()
        if str(one.get("system", "")).startswith(codes.REFERENCE)
    ]
    answered = (str(one["value"]) for one in identifiers if codes.has_role(one, codes.ANSWERED))
    medium = ((stored.get("medium") or [{}])[0].get("coding") or [{}])[0].get("code", "")
    return Said(
        sender[0],
        tuple([one for addresses in to for one in addresses]),
        parse_fhir_time(stored["sent"]),
        wall_of(stored),
        parse_fhir_time(stored["received"]) if "received" in stored else 0,
        thread,
        (stored.get("topic") or {}).get("text", ""),
        _text_in(payload),
        new_text_of(stored),
        tuple([str(one["value"]) for one in identifiers]),
        next(answered, ""),
        medium,
        tuple([_file_in(part["contentAttachment"]) for part in payload if _has_file(part)]),
        *_sorted_out([one["text"] for one in stored.get("note") or () if _is_ours(one)]),
        is_on_arrival(stored),
    )


def repeats(stored: Resource, message: Message) -> bool:
    """Whether a stored child says, word for word, what a message says.

    It is asked of every message that is read again, and answers no where it would have to look
    closer.
    """
    try:
        [text, *attached] = stored["payload"]
        new_text = text["extension"][0]["valueString"] if "extension" in text else message.text
        received = fhir_time(microseconds(message.received)) if message.received else None
        wall = message.wall.isoformat() if message.wall else ""
        return (
            text["contentString"] == message.text
            and new_text == message.new_text
            and len(attached) == len(message.attachments)
            and stored["sent"] == fhir_time(microseconds(message.sent))
            and wall == (wall_of(stored) if "_sent" in stored else "")
            and message.on_arrival == ("_sent" in stored and is_on_arrival(stored))
            and received == stored.get("received")
            and message.subject == (stored["topic"]["text"] if "topic" in stored else "")
            and [message.sender.value] == _values(stored["sender"])
            and [one.value for one in message.recipients]
            == [value for one in stored.get("recipient", ()) for value in _values(one)]
            and message.medium
            == (stored["medium"][0]["coding"][0]["code"] if "medium" in stored else "")
            and [*named_ids(message)] == [one["value"] for one in stored["identifier"][1:]]
            and [*message.notes] == [one["text"] for one in stored.get("note", ())]
            and all(map(_is_file, attached, message.attachments))
        )
    except (KeyError, IndexError, TypeError, ValueError):
        return False


def topic_of(message: Message) -> str:
    """The subject as FHIR can hold it, ``""`` if there is none."""
    return _holdable(message.subject) if message.subject else ""


def text_of(message: Message) -> str:
    """The whole text as FHIR can hold it, ``""`` where it says nothing."""
    return _holdable(message.text)


def new_words(message: Message) -> str:
    """What its sender wrote anew, where that is not the whole text and says something."""
    if message.new_text == message.text or not text_of(message):
        return ""
    return _holdable(clean(message.new_text)[:MOST_CHARACTERS])


def new_text_of(stored: Resource) -> str:
    """The part of a stored child's text that its sender wrote anew."""
    payload = stored.get("payload") or ()
    for part in payload:
        for extension in part.get("extension") or ():
            if extension.get("url") == codes.EXT_NEW_TEXT:
                return str(extension["valueString"])
    return _text_in(payload)


def wall_of(stored: Resource) -> str:
    """The time of a stored child as it was written without a zone, ``""`` where it had one."""
    for extension in (stored.get("_sent") or {}).get("extension") or ():
        if extension.get("url") == codes.EXT_WALL:
            return str(extension["valueString"])
    return ""


def is_on_arrival(stored: Resource) -> bool:
    """Whether the time of a stored child is when it arrived, as nothing told when it was sent."""
    extensions = (stored.get("_sent") or {}).get("extension") or ()
    return any(one.get("url") == codes.EXT_ARRIVAL for one in extensions)


def named_ids(message: Message) -> tuple[str, ...]:
    """The ids that a message names, in its order and each once: threading goes by the first."""
    if not (message.references or message.in_reply_to):
        return ()
    return tuple(dict.fromkeys(filter(None, (*message.references, message.in_reply_to))))


def file_of(attachment: Attachment) -> File:
    """The file that came with a message that was read."""
    content = attachment.content
    name = clean(attachment.filename) if _says_something(attachment.filename) else ""
    type_ = media_type_of(attachment.content_type)
    if content is None:
        return File(name, type_)
    digest = sha1(content, usedforsecurity=False).digest()
    return File(name, type_, len(content), base64.b64encode(digest).decode())


def notes_of(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The notes on a message, without and with those that say what this copy of it lacks."""
    text, subject = message.text, message.subject
    if _is_bare(message) and _is_clean(subject):
        # There is nothing to note on most messages.
        return (), ()
    notes = [*message.notes, *map(_note_of, message.attachments)]
    if not (message.attachments or text_of(message) or any(map(_is_of_words, notes))):
        notes.append(EMPTY)
    if clean(text) != text or clean(subject) != subject:
        notes.append(CLEANED)
    return _sorted_out(filter(None, notes))


def says_words_alone(message: Message) -> bool:
    """Whether all there is of a message is a text that FHIR can hold in one piece, and new."""
    text = message.text
    return _is_bare(message) and text == message.new_text and len(text) <= MOST_CHARACTERS


def _is_bare(message: Message) -> bool:
    """Whether a message has a text that can be held, and neither files nor notes."""
    text = message.text
    bare = not (message.notes or message.attachments)
    return bare and _says_something(text) and _is_clean(text)


def clean(text: str) -> str:
    """``text`` without the characters that no FHIR ``string`` may hold."""
    return text if _is_clean(text) else _FORBIDDEN.sub("", text)


def _is_clean(text: str) -> bool:
    """Whether a text certainly has none of these characters.

    None of them can be printed, and most texts have nothing else that cannot but the ends of lines:
    that is seen five times as fast.
    """
    return text.isprintable() or text.replace("\n", "").isprintable()


def is_of_a_file(note: str) -> bool:
    """Whether a note is about a file that is missing."""
    return note.startswith(gaps.OF_A_FILE) or note in _OF_A_FILE_ONCE


def _holdable(text: str) -> str:
    text = clean(text)
    return text if _says_something(text) else ""


def _says_something(text: str) -> bool:
    return bool(text) and not text.isspace()


def _note_of(attachment: Attachment) -> str:
    note = attachment.note
    return note if not note or note.startswith(gaps.OF_A_FILE) else gaps.OF_A_FILE + note


def _sorted_out(notes: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    each = dict.fromkeys(notes)
    if not each:
        return (), ()
    lacking = [one for one in each if one in _GAPS or is_of_a_file(one)]
    return tuple([one for one in each if one not in lacking]), tuple(lacking)


def _is_of_words(note: str) -> bool:
    return note == gaps.NO_WORDS or is_of_a_file(note)


def _is_ours(note: Any) -> bool:
    """Whether we may have written a note: people sign theirs, and say when."""
    return bool(note.keys() == {"text"})


def _values(actor: Any) -> list[str]:
    return [one["valueContactPoint"]["value"] for one in actor["extension"]]


def _is_file(part: Any, attachment: Attachment) -> bool:
    return attachment.content is not None and _file_in(part["contentAttachment"]) == file_of(
        attachment
    )


def _bare(address: Address) -> Address:
    return address._replace(display="") if address.display else address


def _text_in(payload: Iterable[Any]) -> str:
    return "".join([part["contentString"] for part in payload if "contentString" in part])


def _has_file(part: Any) -> bool:
    return "contentAttachment" in part


def _file_in(attachment: Any) -> File:
    name, type_ = attachment.get("title", ""), attachment.get("contentType", "")
    if "url" not in attachment:
        return File(name, type_)
    return File(name, type_, attachment.get("size", 0), attachment.get("hash", ""))
