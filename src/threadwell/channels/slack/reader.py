"""An export becomes messages: conversation by conversation, day by day, in two passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.json_cursor import Cursor, Damaged, Piece, opened
from threadwell.channels.slack.records import Records
from threadwell.channels.slack.senders import Senders
from threadwell.channels.slack.words import without_secrets
from threadwell.channels.slack.workspace import (
    CONVERSATIONS,
    DAY,
    FURTHER,
    MEDIUM,
    NAME,
    PEOPLE,
    UPLOADS,
    Conversation,
    Workspace,
    day_folders,
    days,
    is_export,
    read_workspace,
)
from threadwell.channels.text import text_head
from threadwell.messages import Broken, Message

_TS = re.compile(r'"ts"\s*+:\s*+"\d{1,11}\.\d{1,6}"', re.ASCII)
_TYPE = re.compile(r'"type"\s*+:\s*+"message"')

_DAMAGED = "the record is damaged or breaks off"
_NO_END = "the file breaks off, or is no list of records"
_WHICH = "nothing says which conversation it is of: its folder is in no list of the export"


def sniff(head: bytes, path: Path) -> bool:
    """Whether a folder is an export, or a file one day of a conversation."""
    if not head:
        try:
            return path.is_dir() and is_export(path)
        except OSError:
            return False
    text = text_head(head).lstrip("\ufeff \t\r\n")
    if not text.startswith("[") or not text[1:].lstrip().startswith("{"):
        return False
    return _TS.search(text) is not None or _TYPE.search(text) is not None


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """Every message of an export, or of one day of it, which lies in its folder."""
    if path.is_dir():
        workspace = read_workspace(path)
        yield from workspace.broken
        senders = Senders(workspace.people, options.country)
        for folder in day_folders(path):
            yield from _read_days(list(days(folder)), path, workspace, senders, options)
        return
    root = path.absolute().parent.parent
    workspace = read_workspace(root) if is_export(root) else Workspace()
    senders = Senders(workspace.people, options.country)
    yield from _read_days([path], root, workspace, senders, options)


def rest(folder: Path) -> Iterator[Path]:
    """What lies in the folder of an export and is no part of it."""
    own = {*CONVERSATIONS, *PEOPLE, *FURTHER, UPLOADS}
    conversations = set(day_folders(folder))
    for one in sorted(folder.iterdir()):
        if one in conversations:
            for inner in sorted(one.iterdir()):
                if not (DAY.fullmatch(inner.name) or inner.name in ("attachments", *_BESIDE_DAYS)):
                    yield inner
        elif one.name not in own:
            yield one


#: What Slack puts beside the days of a conversation: its canvas is no message.
_BESIDE_DAYS = ("canvas_in_the_conversation.json",)


def _read_days(
    files: list[Path], root: Path, workspace: Workspace, senders: Senders, options: ReadOptions
) -> Iterator[Message | Broken]:
    """The messages of one conversation."""
    folder = files[0].absolute().parent
    conversation = workspace.conversation(folder.name) or _named_inside(files)
    if conversation is None:
        for file in files:
            with opened(file) as content:
                kept = without_secrets(bytes(content))
            where = f"{folder.name}/{file.name}"
            yield Broken(NAME, where, _WHICH, kept, "application/json")
        return
    records = Records(conversation, workspace, senders, options, root, folder)
    records.begin()
    for file in files:
        for piece in _pieces(file):
            if piece.value is not None:
                records.survey(piece.value)
    for file in files:
        for number, piece in enumerate(_pieces(file), start=1):
            source = f"{folder.name}/{file.name}, record {number} (byte {piece.offset})"
            if piece.value is None:
                kept = without_secrets(piece.content)
                why = _DAMAGED if kept else _NO_END
                yield Broken(NAME, source, why, kept, "application/json")
            else:
                yield from records.read(piece.value, piece.content, source)


def _named_inside(files: list[Path]) -> Conversation | None:
    """The conversation that the records themselves name, as tools beside Slack's own do."""
    found = {
        str(piece.value.get("channel") or "")
        for file in files
        for piece in _pieces(file)
        if piece.value is not None
    }
    only = next(iter(found)) if len(found) == 1 else ""
    return Conversation(only) if only else None


def _pieces(file: Path) -> Iterator[Piece]:
    with opened(file) as content:
        try:
            yield from Cursor(content).pieces()
        except Damaged:
            yield Piece(0, bytes(content), None)


CHANNEL = Channel(
    name=NAME,
    label="Slack",
    description="Slack: the export of a workspace, as a folder or archive",
    sniff=sniff,
    read=read,
    rest=rest,
    zoned=True,
    medium=MEDIUM,
)
