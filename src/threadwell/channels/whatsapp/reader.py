"""An export becomes messages: one pass to learn its dates and people, one to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.localtime import to_instant
from threadwell.channels.text import text_head
from threadwell.channels.whatsapp.body import Body, attached_files, read_body, split_name
from threadwell.channels.whatsapp.chat_name import chat_name
from threadwell.channels.whatsapp.dates import Inferred, infer_order, read_date
from threadwell.channels.whatsapp.lines import Block, blocks, file_encoding, parse_header
from threadwell.channels.whatsapp.people import NAME, People, address_of
from threadwell.messages import Address, Broken, Message

_ORDER_UNSURE = "its date can be read in more than one way; it was read as {}"


def sniff(head: bytes, _path: Path) -> bool:
    """Whether the first line that is not blank begins as a message of an export does."""
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    line = text_head(head).lstrip("\ufeff\r\n ").partition("\n")[0]
    return parse_header(line) is not None


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of the export.

    What WhatsApp writes about the chat (who joined, that it is encrypted, calls) is no message
    and is left out.
    """
    encoding = file_encoding(path)
    chat = _survey(path, encoding, options)
    for block in blocks(path, encoding):
        item = chat.read_block(block)
        if item is not None:
            yield item


def companions(path: Path) -> Iterator[Path]:
    """The files beside the export that its messages name."""
    with path.open(encoding=file_encoding(path), errors="replace") as file:
        for line in file:
            header = parse_header(line)
            named = split_name(header.rest) if header else None
            yield from attached_files(named.text if named else line, path.parent)


@dataclass(slots=True)
class _Chat:
    """One export being read: what the first pass taught, and what came before in the second.

    ``last`` is the time of the message before; ``seen`` counts messages that are alike.
    """

    path: Path
    thread: str
    dates: Inferred
    people: People
    options: ReadOptions
    last: datetime | None = None
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def read_block(self, block: Block) -> Message | Broken | None:
        """The message of a block; ``None`` where it holds none."""
        header = block.header
        if header is None:
            blank = not "".join(block.lines).strip("\ufeff \r\n")
            return None if blank else _broken(block, self.path, "stands before the first message")
        named = split_name(header.rest)
        if named is None:
            return None
        day = read_date(header.numbers, self.dates.order)
        if day is None or header.time is None:
            return _broken(block, self.path, "its date or time does not exist")
        body = read_body("".join([named.text, *block.lines[1:]]), self.path.parent)
        if not (body.text or body.attachments):
            return _broken(block, self.path, "empty")
        return self._message(named.name, datetime.combine(day, header.time), body)

    def _message(self, name: str, wall: datetime, body: Body) -> Message:
        instant = to_instant(wall, self.options.zone, self.last)
        self.last = instant.time
        sender = self.people.by_name[name]
        notes = [*body.notes, instant.note]
        if not self.dates.certain:
            notes.append(_ORDER_UNSURE.format(self.dates.order))
        return Message(
            channel=NAME,
            external_id=self._external_id(wall, sender, body),
            sender=sender,
            recipients=self.people.recipients(sender),
            sent=instant.time,
            text=body.text,
            new_text=body.text,
            thread_hint=self.thread,
            attachments=body.attachments,
            medium="APPWRIT",
            notes=tuple(note for note in notes if note),
        )

    def _external_id(self, wall: datetime, sender: Address, body: Body) -> str:
        """The same for a later, longer or more exact export of the chat.

        Only the minute counts, as Android writes no seconds, and of files only how many they are,
        as an export may leave them out. Equal messages of one minute are told apart by their
        sequence.
        """
        files = str(len(body.attachments))
        identity = (self.thread, f"{wall:%Y-%m-%d %H:%M}", sender.value, body.text, files)
        self.seen[identity] += 1
        unique = (*identity, str(self.seen[identity]))
        return sha256("\x1f".join(unique).encode()).hexdigest()[:32]


def _survey(path: Path, encoding: str, options: ReadOptions) -> _Chat:
    dates: dict[tuple[str, str, str], None] = {}
    names: dict[str, None] = {}
    separator = ""
    for block in blocks(path, encoding):
        if block.header is not None:
            separator = block.header.shape.separator
            dates[block.header.numbers] = None
            if named := split_name(block.header.rest):
                names[named.name] = None
    name = chat_name(path)
    return _Chat(
        path=path,
        thread=address_of(name, options.country).value.removeprefix(f"{NAME}:"),
        dates=infer_order(dates, separator, options.country),
        people=People.of(names, name, options),
        options=options,
    )


def _broken(block: Block, path: Path, reason: str) -> Broken:
    content = "".join(block.lines).encode("utf-8", "replace")
    return Broken(NAME, f"{path.name}, line {block.number}", reason, content, "text/plain")


CHANNEL = Channel(
    name=NAME,
    description='WhatsApp: the text or archive that "Export chat" writes',
    sniff=sniff,
    read=read,
    companions=companions,
)
