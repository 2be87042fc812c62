"""Records of a chat become messages: which are any, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.channel import ReadOptions
from threadwell.channels.localtime import to_instant
from threadwell.channels.telegram.chats import GROUP, MEDIUM, NAME, OF_OWNER, Chat
from threadwell.channels.telegram.people import People, sender_id
from threadwell.channels.telegram.words import Words, read_files, read_words
from threadwell.messages import Message

#: What a group's messages lose from their numbers when it becomes a supergroup.
_SHIFT = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: 9999-12-31.
_LAST_SECOND = 253_402_300_799

_NO_TIME = "its date is missing or is none"
_NO_ZONE = "the time was written without a zone"
_NOBODY = "nobody is named who wrote it"
_EMPTY = "nothing in it is known to be said or sent"
_PUBLIC = "more people are in the chat than care has in one place"
_TO_ONESELF = "kept for oneself, and sent to nobody"
_UNSUPPORTED = "of a kind that the Telegram which made the export did not know"
_UNKNOWN = "a kind of record that is not known"
_FORWARDED = "forwarded: somebody else may have written it"
_EDITED = "edited: this is what it said in the end"
_FOR_A_WHILE = "could be seen for a short time only"


class Refused(NamedTuple):
    """Why a record is no message; ``set_aside`` if it was read, and was sent to nobody."""

    reason: str
    set_aside: bool = False


class _When(NamedTuple):
    time: datetime
    wall: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Records:
    """One chat being read.

    ``answered`` are the external ids of messages that others answer, by their numbers, as far as
    they were met: an answer comes after what it answers.
    """

    chat: Chat
    options: ReadOptions
    folder: Path
    people: People
    answered: dict[int, str] = field(default_factory=dict)
    last: datetime | None = None

    @classmethod
    def of(cls, chat: Chat, options: ReadOptions, folder: Path) -> Records:
        """A chat of which the people were learned."""
        out = cls(chat, options, folder, People(chat, options))
        for place, piece in enumerate(chat.pieces()):
            if piece.value is not None:
                out.people.note(piece.value, place)
                if (number := _number(piece.value.get("reply_to_message_id"))) is not None:
                    out.answered[number] = ""
        out.people.settle()
        return out

    def read(self, record: Mapping[str, Any], place: int) -> Message | Refused | None:
        """The message of a record, or why it is none; ``None`` for what Telegram tells itself."""
        kind = record.get("type")
        if kind == "service":
            return None
        if kind != "message":
            return Refused(_UNSUPPORTED if kind == "unsupported" else _UNKNOWN)
        when = self._when(record)
        if when is None:
            return Refused(_NO_TIME)
        self.last = when.time
        id_ = sender_id(record)
        words, files = read_words(record), read_files(record, self.folder)
        external_id = self._id(record, when, id_, words)
        number = _number(record.get("id"))
        if number in self.answered:
            self.answered[number] = external_id
        if self.chat.kind == OF_OWNER:
            return Refused(_TO_ONESELF, set_aside=True)
        if not id_:
            return Refused(_NOBODY)
        if self.people.presence.is_crowd:
            return Refused(_PUBLIC)
        if not (words.text or files):
            return Refused(_EMPTY)
        sender = self.people.address(id_)
        return Message(
            channel=NAME,
            external_id=external_id,
            sender=sender,
            recipients=self.people.presence.others(id_, place) or self.people.practice,
            sent=when.time,
            text=words.text,
            new_text=words.text,
            thread_hint=self.chat.key,
            in_reply_to=self._answers(record),
            attachments=files,
            medium=MEDIUM,
            notes=(*when.notes, *_notes(record), *words.notes),
            wall=when.wall,
            made_id=True,
            edited=self._edited(record, when),
        )

    def _edited(self, record: Mapping[str, Any], when: _When) -> datetime | None:
        """When its words were changed; where that is not told, right after it was sent."""
        if not _is_edited(record):
            return None
        seconds = _number(record.get("edited_unixtime"))
        first = when.time + timedelta(microseconds=1)
        if seconds is None or not 0 < seconds <= _LAST_SECOND:
            return first
        return max(first, _EPOCH + timedelta(seconds=seconds))

    def _when(self, record: Mapping[str, Any]) -> _When | None:
        """The moment of a record. Without one in UTC, as before 2021, its clock's on the wall."""
        seconds = _number(record.get("date_unixtime"))
        if seconds is not None:
            known = 0 < seconds <= _LAST_SECOND
            return _When(_EPOCH + timedelta(seconds=seconds)) if known else None
        written = record.get("date")
        try:
            wall = datetime.fromisoformat(written) if isinstance(written, str) else None
            if wall is None or wall <= datetime(1971, 1, 1):  # noqa: DTZ001 - a clock on a wall
                return None
            instant = to_instant(wall, self.options.zone, self.last)
        except (ValueError, TypeError, OverflowError):
            return None
        return _When(instant.time, wall, tuple(filter(None, (_NO_ZONE, instant.note))))

    def _id(self, record: Mapping[str, Any], when: _When, sender: str, words: Words) -> str:
        """The number of a record in its chat, and what stays the same of it in every export.

        A group that becomes a supergroup is another chat afterwards, and its messages get other
        numbers; those of a group count for all groups of an account.
        """
        number, scope = _number(record.get("id")), self.chat.key
        if self.chat.kind == GROUP or (number is not None and number < 0):
            scope = "group"
            number = number + _SHIFT if number is not None and number < 0 else number
        second = str(int(when.time.timestamp()))
        # Words that were changed back are another wording than the first.
        edited = (str(record.get("edited_unixtime")),) if _is_edited(record) else ()
        told = "\x1f".join((second, sender, words.raw, *edited))
        digest = sha256(told.encode("utf-8", "replace")).hexdigest()[:16]
        return f"{scope}:{'' if number is None else number}:{digest}"

    def _answers(self, record: Mapping[str, Any]) -> str:
        if record.get("reply_to_peer_id") not in (None, self.chat.key):
            return ""
        number = _number(record.get("reply_to_message_id"))
        return self.answered.get(number, "") if number is not None else ""


def _notes(record: Mapping[str, Any]) -> tuple[str, ...]:
    said = (
        (_FORWARDED, "forwarded_from" in record or "forwarded_from_id" in record),
        (_EDITED, _is_edited(record)),
        (_FOR_A_WHILE, "self_destruct_period_seconds" in record),
    )
    return tuple(note for note, is_so in said if is_so)


def _is_edited(record: Mapping[str, Any]) -> bool:
    return "edited" in record or "edited_unixtime" in record


def _number(value: object) -> int | None:
    """A whole number; Telegram writes some of them as text."""
    if isinstance(value, str) and len(value) < 20 and value.removeprefix("-").isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
