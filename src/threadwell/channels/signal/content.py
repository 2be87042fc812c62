"""What a chat item says: its words and files, or the reason why it says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from threadwell.channels.signal.files import Media, local_id_of
from threadwell.channels.signal.frames import Values, aci_of, listed, number, text, values
from threadwell.channels.signal.people import Directory
from threadwell.messages import Attachment, gaps, looks

_DELETED = "deleted by its sender"
_DELETED_BY_ADMIN = "deleted by somebody who may in the group"
_ONCE = "could be viewed only once, and is not in the export"
_MENTION = "\ufffc"
#: How an export names the style, by word or number.
_STRUCK = ("STRIKETHROUGH", 4)
_CALLS = ("individualCall", "groupCall")


class Refused(NamedTuple):
    """Why an item is no message. ``notice`` says that nobody sent it: it tells about the chat."""

    reason: str
    set_aside: bool = False
    notice: bool = False


@dataclass(slots=True)
class Content:
    """A message's text, files and notes; ``quoted`` is what it answers.

    Of one that was ``deleted`` nothing else is left. ``text`` has marks (``messages/looks.py``)
    where it is struck.
    """

    text: str = ""
    files: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    quoted: Values = field(default_factory=dict)
    deleted: bool = False


def read_content(item: Values, media: Media, people: Directory) -> Content | Refused:
    """The content of an item. Raises ``OSError`` where a file of it cannot be read."""
    if standard := values(item, "standardMessage"):
        return _standard(standard, media, people)
    if reply := values(item, "directStoryReplyMessage"):
        words = _words(values(values(reply, "textReply"), "text"), people)
        return Content(words or text(reply, "emoji"))
    if "remoteDeletedMessage" in item or "adminDeletedMessage" in item:
        why = _DELETED if "remoteDeletedMessage" in item else _DELETED_BY_ADMIN
        return Content(notes=[why, gaps.NO_WORDS], deleted=True)
    if once := item.get("viewOnceMessage"):
        pointer = values(values(once, "attachment"), "pointer") if isinstance(once, dict) else {}
        return Content(files=[media.open(pointer, 1, note=_ONCE)])
    if "viewOnceMessage" in item:
        return Content(files=[media.open({}, 1, note=_ONCE)])
    if poll := values(item, "poll"):
        options = [text(one, "option") for one in listed(poll, "options")]
        return Content("\n".join([text(poll, "question"), *(f"- {one}" for one in options)]))
    if contact := values(item, "contactMessage"):
        shown = json.dumps(values(contact, "contact"), ensure_ascii=False, indent=1)
        content = shown.encode("utf-8", "replace")
        return Content(files=[Attachment("contact.json", "application/json", content)])
    if sticker := values(values(item, "stickerMessage"), "sticker"):
        files = [media.open(values(sticker, "data"), 1)] if values(sticker, "data") else []
        return Content(text(sticker, "emoji"), files)
    return _none(item)


def _none(item: Values) -> Refused:
    if "updateMessage" in item:
        if not values(item, "updateMessage").keys().isdisjoint(_CALLS):
            return Refused("the notice of a call", set_aside=True)
        return Refused("a notice of the chat", set_aside=True, notice=True)
    if "paymentNotification" in item or "giftBadge" in item:
        return Refused("the notice of a payment", set_aside=True)
    if "standardMessage" in item:
        return Refused("empty")
    return Refused("of a kind that is not known")


def _standard(standard: Values, media: Media, people: Directory) -> Content:
    content = Content(_words(values(standard, "text"), people), quoted=values(standard, "quote"))
    if long := values(standard, "longText"):
        whole = media.open(long, 0)
        if whole.content is None:
            content.notes.append(gaps.CUT_TEXT)
        else:
            content.text = _words(_long(standard, whole.content), people)
    for place, attached in enumerate(listed(standard, "attachments"), start=1):
        pointer = values(attached, "pointer")
        content.files.append(media.open(pointer, place, local_id_of(attached)))
    return content


def _long(standard: Values, content: bytes) -> Values:
    """A text that is in a file, and what of it is struck; people are not named in such."""
    ranges = listed(values(standard, "text"), "bodyRanges")
    styled = [one for one in ranges if not aci_of(one, "mentionAci")]
    return {"body": content.decode("utf-8", "replace"), "bodyRanges": styled}


def files_named(item: Values) -> Iterator[tuple[Values, str]]:
    """What an item says of its files: each with the id that it may be called by."""
    standard = values(item, "standardMessage")
    if long := values(standard, "longText"):
        yield long, ""
    for attached in listed(standard, "attachments"):
        yield values(attached, "pointer"), local_id_of(attached)
    yield values(values(values(item, "stickerMessage"), "sticker"), "data"), ""
    for revision in listed(item, "revisions"):
        yield from files_named(revision)


def _words(written: Values, people: Directory) -> str:
    """A text with marks where it is struck, its mentions of people put in their place."""
    body = looks.without_marks(text(written, "body"))
    ranges = listed(written, "bodyRanges")
    struck = any(one.get("style") in _STRUCK for one in ranges)
    if not ranges or not (struck or _MENTION in body):
        return body.strip()
    # Places are counted in the units of UTF-16.
    units = body.encode("utf-16-le", "surrogatepass")
    pieces, end = [], 0
    for start, behind, put in sorted(_put(ranges, units, people), key=lambda one: one[:2]):
        if start < end or behind > len(units):
            continue
        pieces += [units[end:start], put.encode("utf-16-le")]
        end = behind
    pieces.append(units[end:])
    return b"".join(pieces).decode("utf-16-le", "replace").strip()


def _put(ranges: list[Values], units: bytes, people: Directory) -> Iterator[tuple[int, int, str]]:
    """What is put into a text: from which byte to which, and what."""
    looks_at: dict[int, int] = {}
    for one in ranges:
        start, length = number(one, "start") * 2, number(one, "length") * 2
        if aci := aci_of(one, "mentionAci"):
            yield start, start + length, f"@{people.named(aci)}"
        elif one.get("style") in _STRUCK and length:
            for place, more in ((start, 1), (start + length, -1)):
                at = looks.between(units, place)
                looks_at[at] = looks_at.get(at, 0) + more
    depth = 0
    for place, more in sorted(looks_at.items()):
        if bool(depth) != bool(depth + more):
            yield place, place, looks.mark(0 if depth else looks.STRUCK)
        depth += more
