"""Messages as pages show them: who wrote what, when, and what has become of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from threadwell.encounters.attribution import patients_of, reasons_of
from threadwell.encounters.child_ids import REPLY, own_of, sent_as
from threadwell.encounters.delivery import FAILED, delivery_of
from threadwell.fhir.resource import Resource
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import OURS, name_of, new_text
from threadwell.inbox.reader import Reader, id_in, key_of
from threadwell.inbox.reasons import why_about
from threadwell.inbox.words import size_text
from threadwell.intake.replies.outbox import entry_name
from threadwell.messages import parse_media_type

#: What a browser may show by itself.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

#: Seconds within which what the same person writes stands together, under one name.
_TOGETHER = 300


@dataclass(frozen=True, slots=True)
class FileView:
    """An attachment; ``href`` is ``""`` where its bytes are not in the store."""

    name: str
    href: str
    size: str
    picture: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of a thread. ``sent`` is for machines, ``time`` for people.

    ``text`` is what its sender wrote now; ``whole`` all of it where it quotes more, else ``""``.
    ``mark`` says what has become of it, and ``why`` the reason, where that is not what was wanted.
    ``about`` are sentences that say whom it is about by itself, and why; ``patients`` their ids.
    ``answers`` is the id of the message that it answers, ``""`` for none; with ``corrects`` it
    stands in the place of that. ``letter`` is the name of its entry in the outbox, ``""`` of one
    that cannot be there. ``corrected`` and ``again`` are the ids of messages beside it that
    correct it, or are it sent once more. One that ``follows`` another of the same sender at once
    stands under the same name.
    """

    id: str
    sender: str
    ours: bool
    sent: str
    time: str
    day: str
    text: str
    whole: str
    files: list[FileView]
    mark: str
    why: str
    retracted: bool
    failed: bool
    notes: list[str]
    about: list[str]
    patients: tuple[str, ...]
    answers: str
    corrects: bool
    letter: str
    corrected: str = ""
    again: str = ""
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """The messages of one calendar day in the care time zone."""

    name: str
    messages: list[MessageView]


def days_of(
    reader: Reader, messages: Sequence[Resource], dates: Dates, shared: Sequence[str]
) -> list[Day]:
    """The days of messages in their order, which know of each other."""
    views = [message_view(reader, one, dates, shared) for one in messages]
    ours = {one.id for one in views if one.ours}
    answers = [one for one in views if one.answers in ours]
    corrected = {one.answers: one.id for one in answers if one.corrects}
    # A person answers what came in; what answers a message of ours is that, once more.
    again = {one.answers: one.id for one in answers if one.ours and not one.corrects}
    beside = [
        replace(
            view,
            mark="corrected" if view.retracted and view.id in corrected else view.mark,
            corrected=corrected.get(view.id, ""),
            again=again.get(view.id, ""),
            follows=at > 0 and _follows(messages[at - 1], messages[at], dates),
        )
        for at, view in enumerate(views)
    ]
    return [Day(name, list(group)) for name, group in groupby(beside, key=lambda view: view.day)]


def message_view(
    reader: Reader, message: Resource, dates: Dates, shared: Sequence[str] = ()
) -> MessageView:
    """One message, as ``named_in`` and its sender were learned, without the ``shared`` notes."""
    sent = dates.moment(message.get("sent") or message.get("received"))
    payloads = message.get("payload") or ()
    retracted = message.get("status") == "entered-in-error"
    mark, failed = _delivered(message)
    whole = "".join(p.get("contentString", "") for p in payloads).strip()
    new = next(filter(None, map(new_text, payloads)), "")
    return MessageView(
        id=message["id"],
        sender=name_of(message.get("sender"), reader) if message.get("sender") else "Unknown",
        ours=is_ours(message),
        sent=message.get("sent") or "",
        time=dates.clock(sent) if isinstance(sent, datetime) else "no time",
        day=dates.whole_day(sent) if sent else "No date",
        text=new or whole,
        whole=whole if new else "",
        files=[_file(p["contentAttachment"]) for p in payloads if "contentAttachment" in p],
        mark="taken back" if retracted else mark,
        why=_reason(message) if retracted or failed else "",
        retracted=retracted,
        failed=failed and not retracted,
        notes=[note for note in _notes(message) if note not in shared],
        about=why_about(reader, message),
        patients=_own(message),
        answers=id_in(next(iter(message.get("inResponseTo") or ()), None), "Communication"),
        corrects=_corrects(message),
        letter=_letter(message),
    )


def is_ours(message: Resource) -> bool:
    """Whether somebody of the practice wrote it."""
    sender = key_of(message.get("sender"))
    return sender is not None and sender.type in OURS


def shared_notes(messages: Sequence[Resource]) -> list[str]:
    """What is noted of each of several messages, which need not be said of every one."""
    if len(messages) < 2:
        return []
    first, *others = map(_notes, messages)
    return [note for note in dict.fromkeys(first) if all(note in notes for notes in others)]


def _notes(message: Resource) -> list[str]:
    return [note["text"] for note in message.get("note") or () if note.get("text")]


def _follows(before: Resource, message: Resource, dates: Dates) -> bool:
    sender = (message.get("sender") or {}).get("reference")
    if not sender or (before.get("sender") or {}).get("reference") != sender:
        return False
    first, then = dates.moment(before.get("sent")), dates.moment(message.get("sent"))
    if not (isinstance(first, datetime) and isinstance(then, datetime)):
        return False
    return first.date() == then.date() and (then - first).total_seconds() <= _TOGETHER


def _own(message: Resource) -> tuple[str, ...]:
    """The ids of the patients that a message is about by itself."""
    return tuple(sorted(one.removeprefix("Patient/") for one in patients_of(reasons_of(message))))


def _delivered(message: Resource) -> tuple[str, bool]:
    """What has become of a message that was sent, as far as somebody has told, ``""`` if not; and
    whether it did not arrive."""
    try:
        found = delivery_of(message)
    except (KeyError, TypeError, ValueError, AttributeError):
        # Anybody may write an extension.
        return "", False
    if found is None:
        return "", False
    if found.state == FAILED:
        return f"not delivered ({found.error})" if found.error else "not delivered", True
    return found.state, False


def _reason(message: Resource) -> str:
    text = (message.get("statusReason") or {}).get("text")
    return str(text or "").strip()


def _letter(message: Resource) -> str:
    own = own_of(message)
    if own is None or not own.external_id.startswith(REPLY) or sent_as(message):
        return ""
    return entry_name(own.external_id)


def _corrects(message: Resource) -> bool:
    # A client may have a system of its own for it.
    concepts = message.get("category") or ()
    codings = (one for concept in concepts for one in concept.get("coding") or ())
    return any(one.get("code") == "correction" for one in codings)


def _file(attachment: dict[str, Any]) -> FileView:
    binary = id_in({"reference": attachment.get("url", "")}, "Binary")
    kind = parse_media_type(str(attachment.get("contentType", "")))
    return FileView(
        name=attachment.get("title") or "Attachment",
        href=f"/attachments/{binary}" if binary else "",
        size=size_text(attachment.get("size")),
        picture=bool(binary) and kind is not None and kind.name in PICTURES,
    )
