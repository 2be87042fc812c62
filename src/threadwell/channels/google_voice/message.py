"""The messages of one page, and the reason of each that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from threadwell.channels.channel import ReadOptions
from threadwell.channels.google_voice.file_names import parse_page_name
from threadwell.channels.google_voice.files import Media
from threadwell.channels.google_voice.identity import Identities
from threadwell.channels.google_voice.page import Call, Entry, Named, Page
from threadwell.channels.google_voice.people import NAME, Book, Others, Own, others_on
from threadwell.messages import Address, Attachment, Broken, Message, gaps

#: What Google puts where a message has files and no words.
_PLACEHOLDERS = ("MMS Received", "MMS Sent")
_NO_TRANSCRIPT = "Unable to transcribe this message."
_SPAM = "spam"
_IN_TRASH = "in the trash of Google Voice"
_TRANSCRIBED = "spoken: the words are what Google's software heard"
_UNREADABLE = "some characters are not readable in the export"
_NO_NUMBER = "the export has no number for the other side, or several that go by the name"
_NO_WRITER = "several people are in it, and none is named as its sender"
_NOTICE = "the notice of a call"
_RECORDED = "the notice of a call that was recorded"
_FIRST_YEAR, _LAST_YEAR = 2000, 2200
#: The mode of a voicemail (v3 ParticipationMode).
_SPOKEN = "PHONE"


@dataclass(frozen=True, slots=True)
class Context:
    """What a page does not say of itself.

    ``own`` is whose number it is; ``book`` what all pages tell together, which is asked last, as
    every page has to be read for it.
    """

    file_name: str
    media: Media
    own: Callable[[Page], Own]
    book: Callable[[], Book]
    options: ReadOptions


def read_page(page: Page, raw: bytes, context: Context) -> Iterator[Message | Broken]:
    """What a page holds, in its order. Raises ``OSError`` where a file of it cannot be read."""
    own, country = context.own(page), context.options.country
    if page.call is not None:
        yield _read_call(page, page.call, raw, own, context)
    if not page.entries:
        return
    others = others_on(page, context.file_name, own.address, None, country)
    if others is None and page.group is None:
        others = others_on(page, context.file_name, own.address, context.book(), country)
    ids = Identities()
    for number, entry in enumerate(page.entries, start=1):
        read = _read_entry(page, entry, own, others, ids, context)
        if isinstance(read, Message):
            yield read
        else:
            source = f"{context.file_name}, message {number}"
            yield Broken(NAME, source, read.reason, entry.raw, "text/html", read.set_aside)


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: str
    set_aside: bool = False


def _read_entry(
    page: Page,
    entry: Entry,
    own: Own,
    others: Others | None,
    ids: Identities,
    context: Context,
) -> Message | _Refused:
    if entry.damaged:
        return _Refused("the message is damaged or breaks off")
    sent, notes = _instant(entry.when)
    if sent is None:
        return _Refused("no usable date")
    text = "" if entry.files and entry.text in _PLACEHOLDERS else entry.text
    if not (text or entry.files):
        return _Refused("empty")
    if entry.mine is None:
        return _Refused("nobody is named as its sender")
    if others is None:
        return _Refused(_NO_NUMBER)
    number = own.address
    writer = number if entry.mine else others.writer(entry.sender, number, context.options.country)
    if writer is None:
        return _Refused(_NO_WRITER)
    says = ("sent" if entry.mine else writer.key[1], others.thread, _words(text))
    external_id = ids.of(sent, *says, str(len(entry.files)))
    if _SPAM in page.labels:
        return _Refused("spam", set_aside=True)
    copy = parse_page_name(context.file_name).copy
    files = tuple(
        context.media.open(named, _file_name(sent, place), copy)
        for place, named in enumerate(entry.files, start=1)
    )
    rest = tuple(one for one in others.people if one.key != writer.key)
    return Message(
        channel=NAME,
        external_id=external_id,
        sender=writer,
        recipients=rest if entry.mine else (number, *rest),
        sent=sent,
        text=text,
        new_text=text,
        thread_hint=others.thread,
        attachments=files,
        medium="MMSWRIT" if files or others.group else "SMSWRIT",
        notes=(*notes, *_notes(page, text, files)),
        made_id=True,
        ours=own.ours,
    )


def _read_call(page: Page, call: Call, raw: bytes, own: Own, context: Context) -> Message | Broken:
    """What somebody said to the practice. Of a call without a voicemail there is but the notice."""
    if not page.is_voicemail(context.file_name):
        reason = _RECORDED if "recorded" in page.labels else _NOTICE
        return Broken(NAME, context.file_name, reason, raw, "text/html", set_aside=True)
    text = "" if call.transcript == _NO_TRANSCRIPT else call.transcript
    if not (text or call.audio):
        return Broken(NAME, context.file_name, _NOTICE, raw, "text/html", set_aside=True)
    if _SPAM in page.labels:
        return Broken(NAME, context.file_name, "spam", raw, "text/html", set_aside=True)
    caller = _caller(call, context)
    sent, notes = _instant(call.when)
    if sent is None or caller is None:
        reason = "no usable date" if sent is None else "nobody is named as the caller"
        return Broken(NAME, context.file_name, reason, raw, "text/html")
    files: tuple[Attachment, ...] = ()
    if call.audio:
        files = (context.media.open(Named("audio", call.audio), _file_name(sent, 1)),)
    thread = caller.key[1]
    return Message(
        channel=NAME,
        external_id=Identities().of(sent, "voicemail", thread),
        sender=caller,
        recipients=(own.address,),
        sent=sent,
        text=text,
        new_text=text,
        thread_hint=thread,
        attachments=files,
        medium=_SPOKEN,
        notes=(*notes, *((_TRANSCRIBED,) if text else ()), *_notes(page, text, files)),
        made_id=True,
        ours=own.ours,
    )


def _caller(call: Call, context: Context) -> Address | None:
    as_one = Page(entries=[Entry(sender=call.other, mine=False)])
    country = context.options.country
    others = others_on(as_one, context.file_name, None, None, country)
    if others is None:
        others = others_on(as_one, context.file_name, None, context.book(), country)
    return others.people[0] if others else None


def _notes(page: Page, text: str, files: tuple[Attachment, ...]) -> Iterator[str]:
    if page.deleted:
        yield _IN_TRASH
    if "\ufffd" in text:
        yield _UNREADABLE
    yield from (f"a file of it {one.note}" for one in files if one.note)


def _instant(written: str) -> tuple[datetime | None, tuple[str, ...]]:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None, ()
    if not _FIRST_YEAR <= found.year < _LAST_YEAR:
        return None, ()
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC), (gaps.NO_ZONE,)
    return found.astimezone(UTC), ()


def _file_name(sent: datetime, number: int) -> str:
    """A name that is the same in every export, as Google's own is not."""
    return f"{sent:%Y-%m-%dT%H-%M-%S}-{number}"


def _words(text: str) -> str:
    return " ".join(text.split())
