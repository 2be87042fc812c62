"""Records of a conversation become messages: which are any, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeGuard

from threadwell.channels.channel import ReadOptions
from threadwell.channels.presence import Presence
from threadwell.channels.slack.files import read_files
from threadwell.channels.slack.senders import Senders
from threadwell.channels.slack.words import Words, read_words, without_secrets
from threadwell.channels.slack.workspace import MEDIUM, NAME, Conversation, Workspace
from threadwell.messages import Address, AddressKind, Broken, Message, gaps
from threadwell.messages.wordings import deleted_id, wording_id

#: Subtypes of what somebody said.
_SAID = frozenset(
    (
        *("", "me_message", "file_share", "thread_broadcast", "reply_broadcast"),
        *("bot_message", "slackbot_response"),
    )
)
#: Subtypes of what Slack tells of a conversation.
_NOTICES = frozenset(
    (
        *("channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name"),
        *("channel_archive", "channel_unarchive", "channel_posting_permissions"),
        *("channel_convert_to_private", "channel_convert_to_public", "channel_canvas_updated"),
        *("group_join", "group_leave", "group_topic", "group_purpose", "group_name"),
        *("group_archive", "group_unarchive", "tabbed_canvas_updated", "message_replied"),
        *("pinned_item", "unpinned_item", "bot_add", "bot_remove", "bot_enable", "bot_disable"),
        *("reminder_add", "reminder_delete", "huddle_thread", "sh_room_created"),
        *("app_conversation_join", "assistant_app_thread", "joiner_notification"),
        "joiner_notification_for_inviter",
    )
)
_CHANGES = frozenset(("message_changed", "message_deleted"))
_CAME = frozenset(("channel_join", "group_join"))
_LEFT = frozenset(("channel_leave", "group_leave"))

_TS = re.compile(r"(\d{1,11})\.(\d{1,6})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DELETED = "a message that was deleted in Slack, without its words"
_COMMENT = "a comment on a file, as Slack kept them in its early years"
_UNKNOWN = "a kind of record that is not known"
_NO_TIME = "its time (ts) is missing or is none"
_NOBODY = "nobody is named who wrote it"
_EMPTY = "empty"
_PUBLIC = "more people are in the channel than care has in one place"
_EDITED = "edited in Slack: this is what it said in the end"
_GONE = "deleted in Slack afterwards"

_OWNER = Address(AddressKind.OTHER, f"{NAME}:owner")


@dataclass(slots=True)
class Records:
    """One conversation being read, whose records have all been ``survey``\\ ed before.

    ``roots`` are the external ids of messages that begin a thread, by their ``ts``, and ``writers``
    those who wrote them, as the replies say.
    """

    conversation: Conversation
    workspace: Workspace
    senders: Senders
    options: ReadOptions
    root: Path
    folder: Path
    presence: Presence[int] = field(default_factory=Presence)
    roots: dict[str, str] = field(default_factory=dict)
    writers: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Note who is in the conversation by its list."""
        for id_ in self.conversation.members:
            self.presence.people[id_] = self.senders.address(id_)

    def survey(self, record: Mapping[str, Any]) -> None:
        """Learn from a record who is in the conversation, and what threads begin with."""
        user, at = record.get("user"), _micros(record.get("ts"))
        if isinstance(root := record.get("parent_user_id"), str):
            self.writers[str(record.get("thread_ts"))] = root
        if not isinstance(user, str) or not user or at is None:
            return
        kind = _kind(record)
        if kind in _CAME | _LEFT:
            self.presence.move(at, user, came=kind in _CAME)
        elif kind not in _SAID:
            return
        elif record.get("thread_ts") == record.get("ts"):
            self.roots[str(record["ts"])] = self._id(record, self._words(record))
        if not record.get("bot_id"):
            self.presence.people[user] = self.senders.address(user, record.get("user_profile"))

    def read(
        self, record: dict[str, Any], content: bytes, source: str
    ) -> Iterator[Message | Broken]:
        """The messages of a record: one, of a change two, of a notice none."""
        kind = _kind(record)
        if kind in _NOTICES:
            return
        said: list[Mapping[str, Any]] = []
        gone, refused, aside = False, _UNKNOWN, False
        if kind in _CHANGES:
            said, gone = _changed(record, kind), kind == "message_deleted"
            refused, aside = _DELETED, True
        elif kind == "file_comment":
            refused, aside = _COMMENT, True
        elif kind in _SAID and record.get("type", "message") == "message":
            said = [record]
        if (kind == "tombstone" or (gone and not said)) and (left := self._left(record)):
            yield left
            return
        if kind == "tombstone":
            refused, aside = _DELETED, True
        for one in said:
            found = self._message(one, gone=gone)
            if isinstance(found, Message):
                yield found
            else:
                yield _broken(source, found, content)
        if not said:
            yield _broken(source, refused, content, set_aside=aside)

    def _left(self, record: Mapping[str, Any]) -> Message | None:
        """What is left of a message that was deleted, where its writer is known."""
        ts = str(record.get("deleted_ts") or record.get("ts"))
        at, user = _micros(ts), self.writers.get(ts, "")
        if at is None or not user or self.presence.is_crowd:
            return None
        sender = self.senders.address(user)
        return Message(
            channel=NAME,
            external_id=deleted_id(f"{self.conversation.id}:{ts}"),
            sender=sender,
            recipients=self._others(user, at, sender),
            sent=_EPOCH + timedelta(microseconds=at),
            text="",
            new_text="",
            thread_hint=self.conversation.id,
            medium=MEDIUM,
            notes=(gaps.NO_WORDS,),
            made_id=True,
            taken_back=True,
        )

    def _message(self, record: Mapping[str, Any], *, gone: bool) -> Message | str:
        """The message that a record is, or why it is none; it was deleted if it is ``gone``."""
        at, ts = _micros(record.get("ts")), str(record.get("ts"))
        if at is None:
            return _NO_TIME
        found = self.senders.of(record)
        if found is None:
            return _NOBODY
        if self.presence.is_crowd:
            return _PUBLIC
        sender, how = found
        words = self._words(record)
        files = read_files(record, self.root, self.folder)
        if not (words.text or files):
            return _EMPTY
        edited = _edited(record)
        notes = (how, _EDITED if edited else "", _GONE if gone else "", *words.notes)
        thread = record.get("thread_ts")
        return Message(
            channel=NAME,
            external_id=self._id(record, words),
            sender=sender,
            recipients=self._others(str(record.get("user") or ""), at, sender),
            sent=_EPOCH + timedelta(microseconds=at),
            text=words.text,
            new_text=words.new_text,
            thread_hint=self.conversation.id,
            in_reply_to="" if thread == ts else self.roots.get(str(thread), ""),
            attachments=files,
            medium=MEDIUM,
            notes=tuple(filter(None, notes)),
            made_id=True,
            edited=edited,
            taken_back=gone,
        )

    def _others(self, user: str, at: int, sender: Address) -> tuple[Address, ...]:
        others = tuple([one for one in self.presence.others(user, at) if one.key != sender.key])
        return others or self.options.owner[:1] or (_OWNER,)

    def _words(self, record: Mapping[str, Any]) -> Words:
        names = self.workspace.channel_names
        return read_words(record, self.senders.name, lambda id_: names.get(id_, id_))

    def _id(self, record: Mapping[str, Any], words: Words) -> str:
        """Conversation and ``ts``, and a digest of what stays of its words."""
        ts, edited = record.get("ts"), record.get("edited")
        when = (str(edited.get("ts")),) if isinstance(edited, dict) else ()
        return wording_id(f"{self.conversation.id}:{ts}", words.raw, *when)


def _changed(record: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """What a message said before it was edited or deleted, and what it says now."""
    before = record.get("previous_message") or record.get("original")
    now = record.get("message") if kind == "message_changed" else None
    out: list[Mapping[str, Any]] = []
    if _is_said(before) and not (_is_said(now) and now.get("text") == before.get("text")):
        out.append(before)
    if _is_said(now):
        out.append(now)
    return out


def _edited(record: Mapping[str, Any]) -> datetime | None:
    """When it was edited; where that is not told, right after it was sent."""
    edited = record.get("edited")
    if not edited:
        return None
    at = _micros(edited.get("ts") if isinstance(edited, dict) else None)
    first = (_micros(record.get("ts")) or 0) + 1
    return _EPOCH + timedelta(microseconds=max(at or first, first))


def _is_said(record: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(record, dict) and _kind(record) in _SAID


def _kind(record: Mapping[str, Any]) -> str:
    kind = record.get("subtype") or ""
    return kind if isinstance(kind, str) else "?"


def _broken(source: str, reason: str, content: bytes, *, set_aside: bool = False) -> Broken:
    kept = without_secrets(content)
    return Broken(NAME, source, reason, kept, "application/json", set_aside)


def _micros(ts: object) -> int | None:
    """Microseconds since 1970 UTC, of which no digit is lost as in a float."""
    found = _TS.fullmatch(ts) if isinstance(ts, str) else None
    return int(found[1]) * 1_000_000 + int(found[2].ljust(6, "0")) if found else None
