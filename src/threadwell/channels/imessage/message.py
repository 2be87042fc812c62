"""One row becomes one message, or the reason why it is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.channel import ReadOptions
from threadwell.channels.imessage.attributes import struck_in
from threadwell.channels.imessage.chats import NAME, Chat, Chats, address_of
from threadwell.channels.imessage.files import is_shown, read_file
from threadwell.channels.imessage.rows import Row
from threadwell.channels.imessage.summary import earlier_wordings, is_retracted
from threadwell.channels.imessage.typedstream import text_in
from threadwell.messages import Address, AddressKind, Attachment, Message, gaps, looks
from threadwell.messages.looks import with_struck
from threadwell.messages.media_type import OCTETS
from threadwell.messages.wordings import deleted_id, wording_id

#: Apple counts from here: nanoseconds, and whole seconds in rows of before 2017.
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_FIRST_NANOSECONDS = 10**12
_MOST_SECONDS = 250_000_000_000
#: What stands in a text where a file is, and where an app has drawn something.
_FILE, _DRAWN = "\ufffc", "\ufffd"
_BY_NETWORK = frozenset({"sms", "rcs"})

_STICKER, _VOTE = 1000, 4000
_REACTIONS = range(2000, 4000)
_EVENTS = range(1, 7)

_UNSENT = "unsent by its sender"
_EDITED = "edited by its sender; it has its last wording"
_DELETED = "among what the phone had deleted of late"
_OF_AN_APP = "is of an app, and cannot be read"
_UNREADABLE = "its words are kept in a form that could not be read"
_NO_SENDER = "nobody is named as its sender"
_NO_CHAT = "it is in no chat, and nobody is named at its other end"


class Refused(NamedTuple):
    """Why a row is no message. ``notice`` says that nobody sent it: it tells about the chat."""

    reason: str
    set_aside: bool = False
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """The database that is read, its chats, and what the import was told."""

    path: Path
    chats: Chats
    options: ReadOptions

    def own(self, row: Row, chat: Chat | None) -> tuple[Address, bool]:
        """The owner's address of a message, and whether the database itself says so."""
        country = self.options.country
        account = row.text("account").partition(":")[2]
        for text in (row.text("destination_caller_id"), chat.last_own if chat else "", account):
            if text.strip():
                return address_of(text, country), True
        own = self.options.owner
        phones = (one for one in own if one.kind is AddressKind.PHONE)
        told = next(phones, None) or next(iter(own), None)
        return told or Address(AddressKind.OTHER, f"{NAME}:owner"), False


def parse_row(row: Row, phone: Phone) -> Iterator[Message | Refused]:
    """The message of a row, in each of its wordings, the last one at the end.

    Raises ``OSError`` where a file of it cannot be read.
    """
    message = _parse(row, phone)
    if isinstance(message, Refused) or not row.number_in("date_edited"):
        yield message
        return
    guid = message.external_id
    if _UNSENT in message.notes:
        yield replace(message, external_id=deleted_id(guid), taken_back=True)
        return
    edited = _instant(row.number_in("date_edited"))
    after = message.sent + timedelta(microseconds=1)
    for at, one in enumerate(earlier_wordings(row.blob("message_summary_info"))):
        if not one.marked or looks.shown(one.marked).strip() == message.text:
            continue
        shown, of_looks = looks.told(one.marked)
        shown = shown.strip()
        notes = [note for note in message.notes if note != looks.NOTE]
        words = replace(
            message,
            text=shown,
            new_text=shown,
            notes=(*notes, *of_looks),
            earlier_words=_earlier(one.marked),
        )
        since = _EPOCH + timedelta(seconds=one.since) if at else None
        yield _worded(words, one.marked, guid, since and max(since, after))
    yield _worded(message, _text(row) or "", guid, max(edited or after, after))


def _worded(message: Message, marked: str, guid: str, edited: datetime | None) -> Message:
    if edited is None:
        return message
    # Not of how the words look: earlier builds did not know that.
    id_ = wording_id(guid, looks.without_marks(marked).strip(), at=edited)
    return replace(message, external_id=id_, edited=edited)


def _parse(row: Row, phone: Phone) -> Message | Refused:
    if row.number_in("item_type"):
        is_known = row.number_in("item_type") in _EVENTS
        return Refused("an event of a kind that is not known", set_aside=True, notice=is_known)
    if refused := _is_about_another(row.number_in("associated_message_type")):
        return Refused(refused, set_aside=True)
    mine = bool(row.number_in("is_from_me"))
    if row.number_in("is_spam") and not mine:
        return Refused("spam", set_aside=True)
    if mine and row.number_in("error") and row.columns.get("is_sent") == 0:
        return Refused("could not be sent", set_aside=True)
    if not row.text("guid"):
        return Refused("it has no id")
    sent = _instant(row.number_in("date"))
    if sent is None:
        return Refused("no usable date")
    chat = _chat_of(row, phone.chats)
    own, is_said = phone.own(row, chat)
    people = _people(row, chat, phone.chats, own, mine)
    if isinstance(people, Refused):
        return people
    marked = _text(row)
    if marked is None:
        return Refused(_UNREADABLE)
    shown, of_looks = looks.told(marked)
    text = shown.strip()
    files = tuple(read_file(one, phone.path) for one in row.files if is_shown(one))
    if not (text or files) and row.text("balloon_bundle_id"):
        files = (Attachment("app", OCTETS, None, _OF_AN_APP),)
    notes = (*_notes(row, text, files), *of_looks)
    if not (text or files or notes):
        return Refused("empty")
    sender, recipients, thread = people
    return Message(
        channel=NAME,
        external_id=row.text("guid"),
        sender=sender,
        recipients=recipients,
        sent=sent,
        text=text,
        new_text=text,
        thread_hint=thread,
        in_reply_to=row.text("thread_originator_guid"),
        attachments=files,
        medium=_medium(row, files, chat),
        notes=notes,
        ours=(own,) if is_said else (),
        earlier_words=_earlier(marked),
    )


def row_as_json(row: Row) -> bytes:
    """All that a row holds, for somebody who looks at why it is no message."""
    shown = {name: _shown(value) for name, value in row.columns.items() if value is not None}
    return json.dumps({"ROWID": row.number, **shown}, ensure_ascii=False).encode("utf-8", "replace")


class _People(NamedTuple):
    sender: Address
    recipients: tuple[Address, ...]
    thread: str


def _people(
    row: Row, chat: Chat | None, chats: Chats, own: Address, mine: bool
) -> _People | Refused:
    """Nobody is guessed to have written it.

    Of what the owner sent, a handle is not the writer: it is nobody, or the other side.
    """
    handle = row.number_in("handle_id")
    numbers = chat.members_at(row.number_in("date")) if chat else []
    listed = [chats.handles[one] for one in numbers if one in chats.handles]
    others = {one.key: one for one in listed if one.key != own.key}
    written = chats.handles.get(handle)
    if written is not None and written.key != own.key and (not mine or not others):
        others = {written.key: written, **others}
    if not others:
        return Refused(_NO_CHAT)
    people = tuple(others.values())
    group = chat is not None and (chat.group or len(people) > 1)
    thread = chat.key if group and chat else people[0].key[1]
    if mine:
        return _People(own, people, thread)
    sender = written or (people[0] if len(people) == 1 else None)
    if sender is None or sender.key == own.key:
        return Refused(_NO_SENDER)
    return _People(sender, (own, *(one for one in people if one.key != sender.key)), thread)


def _chat_of(row: Row, chats: Chats) -> Chat | None:
    """The chat of a message; of several, one that its sender is in."""
    there = [chats.by_number[one] for one in row.chats if one in chats.by_number]
    handle = row.number_in("handle_id")
    return next((one for one in there if handle in one.members), next(iter(there), None))


def _is_about_another(kind: int) -> str:
    if kind == _STICKER:
        return "a sticker on a message"
    if kind == _VOTE:
        return "a vote in a poll"
    return "a reaction to a message" if kind in _REACTIONS else ""


def _text(row: Row) -> str | None:
    """The words, marked where struck; ``None`` where they are there and cannot be read."""
    body = row.blob("attributedBody")
    kept = text_in(body) if body else None
    text = with_struck(kept, struck_in(body)) if kept is not None else row.text("text")
    if body and kept is None and not text:
        return None
    text = text.replace(_FILE, "")
    return (text.replace(_DRAWN, "") if row.text("balloon_bundle_id") else text).strip()


def _earlier(marked: str) -> tuple[str, ...]:
    before = looks.earlier(marked).strip()
    return (before, before) if before else ()


def _notes(row: Row, text: str, files: tuple[Attachment, ...]) -> Iterator[str]:
    if row.deleted:
        yield _DELETED
    if row.number_in("date_edited"):
        if text or files:
            yield _EDITED
        elif is_retracted(row.blob("message_summary_info")):
            yield _UNSENT
            yield gaps.NO_WORDS
    yield from (f"{gaps.OF_A_FILE}{one.note}" for one in files if one.note)


def _medium(row: Row, files: tuple[Attachment, ...], chat: Chat | None) -> str:
    if row.text("service").lower() not in _BY_NETWORK:
        return "APPWRIT"
    return "MMSWRIT" if files or (chat and chat.group) else "SMSWRIT"


def _instant(date: int) -> datetime | None:
    if date == 0:
        return None
    nanoseconds = date if abs(date) >= _FIRST_NANOSECONDS else date * 10**9
    if abs(nanoseconds) > _MOST_SECONDS * 10**9:
        return None
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
