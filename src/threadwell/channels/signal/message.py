"""One chat item becomes one message, in all of its wordings, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from threadwell.channels.signal.content import Content, Refused, read_content
from threadwell.channels.signal.files import Media
from threadwell.channels.signal.frames import Values, listed, name_of, number, values
from threadwell.channels.signal.people import NAME, Directory, Party, Person
from threadwell.messages import Address, Message, looks
from threadwell.messages.wordings import deleted_id, wording_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_800_000
_EDITED = "edited by its sender; it has its last wording"
_SOME_FAILED = "it did not reach all to whom it was sent"
_OWNER = "owner"
#: What a wording has of the item that it is one of, where it does not say so itself.
_IN_COMMON = ("chatId", "authorId", "incoming", "outgoing", "directionless", "sms")


class _Wording(NamedTuple):
    """One wording of a message, with what all have in common; the first one since no time."""

    item: Values
    first_ms: int
    since_ms: int = 0


def parse_item(item: Values, media: Media, people: Directory) -> Iterator[Message | Refused]:
    """The message of an item, in each of its wordings, the last one at the end.

    Raises ``OSError`` where a file of it cannot be read.
    """
    *earlier, last = _wordings(item)
    for one in earlier:
        found = _parse(one, media, people)
        if isinstance(found, Message):
            yield found
    yield _parse(last, media, people)


def _wordings(item: Values) -> list[_Wording]:
    first = first_sent(item)
    revisions = sorted(listed(item, "revisions"), key=lambda one: number(one, "dateSent"))
    if not revisions:
        return [_Wording(item, first)]
    shared = {name: item[name] for name in _IN_COMMON if name in item}
    out = []
    for at, one in enumerate(revisions):
        since = number(one, "dateSent") if at else 0
        out.append(_Wording({**shared, **one}, first, since))
    # Whatever the item itself tells, its words are the last ones.
    times = (number(one, "dateSent") for one in (item, *revisions))
    return [*out, _Wording(item, first, max(*times, max(out[-1].since_ms, first) + 1))]


def _parse(wording: _Wording, media: Media, people: Directory) -> Message | Refused:
    item, sent_ms = wording.item, wording.first_ms
    content = read_content(item, media, people)
    if isinstance(content, Refused):
        return content
    if not 0 < sent_ms < _LAST_MS:
        return Refused("no usable date")
    party = people.party(name_of(item, "chatId"))
    if party is None:
        return Refused("it is in a chat that is not in the export")
    if party.no_care:
        return Refused(party.no_care, set_aside=True)
    if party.is_owner:
        return Refused("a note that the owner wrote to themselves", set_aside=True)
    if "outgoing" in item:
        return _worded(_sent(item, content, sent_ms, party, people), wording, content)
    if "incoming" in item:
        return _worded(_received(item, content, sent_ms, party, people), wording, content)
    return Refused("it was neither sent nor received")


def _worded(message: Message | Refused, wording: _Wording, content: Content) -> Message | Refused:
    """The message under the id that the wording has."""
    if isinstance(message, Refused):
        return message
    if content.deleted:
        own = deleted_id(message.external_id)
        return replace(message, external_id=own, taken_back=True)
    if not wording.since_ms:
        return message
    at = _instant(min(wording.since_ms, _LAST_MS))
    # Not of how the words look: earlier builds did not know that.
    id_ = wording_id(message.external_id, looks.without_marks(content.text).strip(), at=at)
    return replace(message, external_id=id_, edited=at)


def first_sent(item: Values) -> int:
    """When the first wording was sent: the time that stays, however often it is edited."""
    times = [number(one, "dateSent") for one in (item, *listed(item, "revisions"))]
    return min(filter(None, times), default=0)


def _sent(
    item: Values, content: Content, ms: int, party: Party, people: Directory
) -> Message | Refused:
    statuses = listed(values(item, "outgoing"), "sendStatus")
    failed = sum("failed" in one for one in statuses)
    if statuses and failed == len(statuses):
        return Refused("could not be sent", set_aside=True)
    if statuses and all("pending" in one for one in statuses):
        return Refused("was still waiting to be sent when the export was made", set_aside=True)
    if failed:
        content.notes.append(_SOME_FAILED)
    to = [people.parties.get(name_of(one, "recipientId")) for one in statuses]
    reached = tuple(one.person.address for one in to if one is not None and one.person)
    if party.person is not None:
        reached = (party.person.address,)
    elif not reached and party.members is not None:
        reached = party.members.others("", ms)
    if not reached:
        return Refused("nobody is named at its other end")
    own, is_said = people.own()
    return _message(item, content, ms, party, people, own, reached, (own,) if is_said else ())


def _received(
    item: Values, content: Content, ms: int, party: Party, people: Directory
) -> Message | Refused:
    author = people.parties.get(name_of(item, "authorId"))
    writer = author.person if author is not None else None
    if writer is None:
        return Refused("nobody is named as its sender")
    others: tuple[Address, ...] = ()
    if party.members is not None:
        others = party.members.others(writer.key, ms)
    own, is_said = people.own()
    rest = (one for one in others if one.key != writer.address.key)
    to, ours = (own, *rest), (own,) if is_said else ()
    return _message(item, content, ms, party, people, writer.address, to, ours)


def _message(
    item: Values,
    content: Content,
    ms: int,
    party: Party,
    people: Directory,
    sender: Address,
    recipients: tuple[Address, ...],
    ours: tuple[Address, ...],
) -> Message | Refused:
    if not (content.text or content.files or content.notes):
        return Refused("empty")
    if listed(item, "revisions"):
        content.notes.append(_EDITED)
    received = number(values(item, "incoming"), "dateReceived")
    files = tuple(content.files)
    shown, of_looks = looks.told(content.text)
    words, before = shown.strip(), looks.earlier(content.text).strip()
    author = people.parties.get(name_of(item, "authorId")) if "incoming" in item else None
    thread = party.group or (party.person.key if party.person else "")
    by_phone = item.get("sms") is True
    return Message(
        channel=NAME,
        external_id=_identity(author.person if author else None, ms, thread),
        sender=sender,
        recipients=recipients,
        sent=_instant(ms),
        received=_instant(received) if 0 < received < _LAST_MS else None,
        text=words,
        new_text=words,
        thread_hint=thread,
        in_reply_to=_answered(content.quoted, thread, people),
        attachments=files,
        medium=("MMSWRIT" if files or party.group else "SMSWRIT") if by_phone else "APPWRIT",
        notes=(
            *content.notes,
            *of_looks,
            *(f"a file of it {one.note}" for one in files if one.note),
        ),
        ours=ours,
        earlier_words=(before, before) if before else (),
    )


def _answered(quoted: Values, thread: str, people: Directory) -> str:
    """The id of the message that this one quotes."""
    ms = number(quoted, "targetSentTimestamp")
    author = people.parties.get(name_of(quoted, "authorId"))
    if not ms or author is None or not (author.is_owner or author.person):
        return ""
    return _identity(author.person, ms, thread)


def _identity(author: Person | None, ms: int, thread: str) -> str:
    """Signal itself tells messages apart by their author and the millisecond of sending.

    The owner has no id in an export: what they sent is told apart by the chat as well.
    """
    who = (author.key,) if author is not None else (_OWNER, thread)
    return sha256("\x1f".join((*who, str(ms))).encode("utf-8", "replace")).hexdigest()[:32]


def _instant(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
