"""An export becomes messages: one pass to learn its dates and people, one to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.localtime import to_instant
from threadwell.channels.text import text_head
from threadwell.channels.whatsapp.attachments import found, named_file
from threadwell.channels.whatsapp.beside import beside_deleted
from threadwell.channels.whatsapp.body import Body, read_body
from threadwell.channels.whatsapp.dates import read_date
from threadwell.channels.whatsapp.earlier import EarlierIds
from threadwell.channels.whatsapp.identity import Identities
from threadwell.channels.whatsapp.lines import (
    Block,
    DatedLine,
    blocks,
    file_encoding,
    lines,
    parse_header,
)
from threadwell.channels.whatsapp.notices import is_call, is_notice
from threadwell.channels.whatsapp.participants import NAME, address_of
from threadwell.channels.whatsapp.senders import Named, split_name
from threadwell.channels.whatsapp.survey import Kind, Survey, survey
from threadwell.messages import Broken, Message
from threadwell.messages.deleted import DELETED

_ORDER_UNSURE = "its date can be read in more than one way; it was read as {}"
_NO_SENDER = (
    "nobody is named who wrote it: a notice of WhatsApp in words that are not known, or pasted"
)
_BY_APP = "it stands where WhatsApp writes its notices, in words that are not known"
_SHORTEST_OPENING = 30
_CALL = "all of it is what WhatsApp writes of a call: it may be a notice"
_CROWD = "more people wrote than a chat can have"
_MEDIUM = "APPWRIT"
_BEHIND_NOTICE = "it stands behind a notice of WhatsApp"


def sniff(head: bytes, _path: Path) -> bool:
    """Whether the first line that is not blank begins as a message of an export does."""
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    line = text_head(head).lstrip("\ufeff\r\n ").partition("\n")[0]
    return parse_header(line) is not None


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of the export, and every other line that is no known notice of WhatsApp.

    What WhatsApp writes about the chat (who joined, that it is encrypted, calls) is no message
    and is left out.
    """
    encoding = file_encoding(path)
    learned = survey(path, encoding, options)
    thread = address_of(learned.title, options.country).key[1].removeprefix(f"{NAME}:")
    earlier = EarlierIds.of(path, learned.title, options) if options.earlier_ids else None
    identities = Identities(learned, options.country)
    chat = _Chat(path, path.parent, learned, thread, options.zone, identities, earlier)
    found = blocks(path, encoding, lambda place: learned.kinds[place] != Kind.TEXT)
    yield from beside_deleted(filter(None, map(chat.read_block, found)))


def companions(path: Path) -> Iterator[Path]:
    """The files beside the export that its messages name."""
    for line, dated in lines(path, file_encoding(path)):
        named = split_name(dated.header.rest) if dated else None
        file = named_file(named.text if named else line, path.parent)
        beside = found(file.name, path.parent) if file else None
        if beside is not None:
            yield beside


@dataclass(slots=True)
class _Chat:
    """One export being read; ``last`` is the time of the message before."""

    path: Path
    folder: Path
    learned: Survey
    thread: str
    zone: ZoneInfo | None
    identities: Identities
    earlier: EarlierIds | None
    last: datetime | None = None

    def read_block(self, block: Block) -> Message | Broken | None:
        """The message of a block; ``None`` where it holds none."""
        if block.dated is None:
            blank = not "".join(block.lines).strip("\ufeff \r\n")
            return None if blank else self._held(block, "stands before the first message")
        kind = self.learned.kinds[block.dated.place]
        if self.learned.participants.are_too_many:
            return self._held(block, _CROWD)
        header = block.dated.header
        named = split_name(header.rest)
        if kind == Kind.NOTICE:
            is_bare = not "".join(block.lines[1:]).strip()
            return None if is_bare else self._held(block, _BEHIND_NOTICE)
        if kind == Kind.HELD or named is None:
            return self._held(block, _NO_SENDER)
        return self._read_message(block, block.dated, named)

    def _read_message(
        self, block: Block, dated: DatedLine, named: Named
    ) -> Message | Broken | None:
        header = dated.header
        body = read_body("".join([named.text, *block.lines[1:]]), self.folder)
        if body.by_app and (
            _opens_chat(dated, body) or is_notice(body.text, self.learned.is_somebody)
        ):
            return None
        day = read_date(header.numbers, self.learned.dates.order)
        if day is None or header.time is None:
            return self._held(block, "its date or time does not exist")
        if body.by_app or is_call(body.text):
            reason = _BY_APP if body.by_app else _CALL
            return self._held(block, reason, set_aside=not body.by_app)
        if not (body.text or body.attachments):
            return self._held(block, "empty")
        sender = self.learned.participants.by_name.get(named.name)
        if sender is None:
            # Each of its lines looked like one of the app's own; this one, read whole, does not.
            return self._held(block, _NO_SENDER)
        wall = datetime.combine(day, header.time)
        instant = to_instant(wall, self.zone, self.last)
        self.last = instant.time
        learned = self.learned
        notes = [*body.notes, instant.note]
        if not learned.dates.certain:
            notes.append(_ORDER_UNSURE.format(learned.dates.order))
        return Message(
            channel=NAME,
            external_id=self.identities.of(named.name, wall, body),
            sender=sender,
            recipients=learned.participants.recipients(sender, dated.place),
            sent=instant.time,
            text=body.text,
            new_text=body.text,
            thread_hint=self.thread,
            attachments=body.attachments,
            notes=tuple(note for note in notes if note),
            wall=wall,
            medium=_MEDIUM,
            made_id=True,
            taken_back=DELETED in body.notes,
            earlier_ids=self.earlier.of_next(sender, wall, body) if self.earlier else (),
        )

    def _held(self, block: Block, reason: str, *, set_aside: bool = False) -> Broken:
        content = "".join(block.lines).encode("utf-8", "replace")
        source = f"{self.path.name}, line {block.number}"
        return Broken(NAME, source, reason, content, "text/plain", set_aside)


def _opens_chat(dated: DatedLine, body: Body) -> bool:
    """Whether it is the sentence about encryption with which an export begins, in any language."""
    return dated.place == 0 and dated.header.shape.bracket and len(body.text) >= _SHORTEST_OPENING


CHANNEL = Channel(
    name=NAME,
    label="WhatsApp",
    description='WhatsApp: the text or archive that "Export chat" writes',
    sniff=sniff,
    read=read,
    companions=companions,
    medium=_MEDIUM,
)
