"""An export becomes messages: one pass to learn who is in it, one to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.signal.content import files_named
from threadwell.channels.signal.files import Media
from threadwell.channels.signal.frames import FRAMES, is_export, lines, parse_frame, values
from threadwell.channels.signal.message import parse_item
from threadwell.channels.signal.people import NAME, Directory
from threadwell.channels.text import text_head
from threadwell.messages import Broken, Message

_NOT_WHOLE = "the line is damaged or breaks off"
_UNKNOWN = "a line of a kind that is not known"
_UNREADABLE = "a file of it cannot be opened"
_ITEM, _CHANGE = b'"chatItem"', b'"groupChange"'
_METADATA = "metadata.json"
_SQLITE = b"SQLite format 3\0"
_NEEDS_OPENING = (
    "an encrypted {} of Signal, which nothing but Signal can open: choose Export chat history in "
    "Signal, which needs no key, and import that"
)


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file begins with the lines of an export."""
    found = text_head(head).lstrip("\ufeff\r\n\t ")
    return found.startswith("{") and is_export(found)


def nearly(head: bytes, path: Path) -> str:
    """What is needed to read what Signal keeps under a key."""
    if path.suffix == ".backup" and path.name.startswith("signal-"):
        return _NEEDS_OPENING.format("backup")
    if path.name == "db.sqlite" and not head.startswith(_SQLITE):
        return _NEEDS_OPENING.format("database")
    in_backup = path.name == "main" and path.parent.name.startswith("signal-backup-")
    return _NEEDS_OPENING.format("backup") if in_backup else ""


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of the export, in its order.

    What Signal notes of a chat (who came to a group, a timer, a new number) is no message and is
    left out.
    """
    people, media = _learned(path, options), Media.of(path)
    for number, line in lines(path):
        where = f"{path.name}, line {number}"
        frame = parse_frame(line)
        if frame is None:
            yield Broken(NAME, where, _NOT_WHOLE, line, "application/json")
            continue
        item = values(frame, "chatItem")
        if not item:
            if number > 1 and not FRAMES.issuperset(frame):
                yield Broken(NAME, where, _UNKNOWN, line, "application/json")
            continue
        try:
            found = list(parse_item(item, media, people))
        except OSError:
            yield Broken(NAME, where, _UNREADABLE, line, "application/json")
            continue
        for parsed in found:
            if isinstance(parsed, Message):
                yield parsed
            elif not parsed.notice:
                yield Broken(NAME, where, parsed.reason, line, "application/json", parsed.set_aside)


def companions(path: Path) -> Iterator[Path]:
    """The files that messages name, and the one that tells the version of the export."""
    yield path.with_name(_METADATA)
    media = Media.of(path)
    for _, line in lines(path):
        frame = parse_frame(line) if _ITEM in line else None
        for pointer, local_id in files_named(values(frame or {}, "chatItem")):
            found = media.find(pointer, local_id)
            if found is not None:
                yield found


def _learned(path: Path, options: ReadOptions) -> Directory:
    people = Directory(options)
    for _, line in lines(path):
        if _ITEM not in line or _CHANGE in line:
            people.learn(parse_frame(line) or {})
    people.complete()
    return people


CHANNEL = Channel(
    name=NAME,
    label="Signal",
    description="Signal: the folder that Export chat history makes (main.jsonl)",
    sniff=sniff,
    read=read,
    companions=companions,
    nearly=nearly,
    zoned=True,
    medium="APPWRIT",
)
