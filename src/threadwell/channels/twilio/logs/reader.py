"""A log becomes messages, one at a time and in its order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threadwell.channels.channel import ReadOptions
from threadwell.channels.delimited import best_cut, delimiter_line, open_rows
from threadwell.channels.objects import json_head
from threadwell.channels.records import Refused, read_records
from threadwell.channels.text import text_head
from threadwell.channels.twilio.identity import NAME
from threadwell.channels.twilio.logs.entry import (
    NEEDED,
    member_name,
    members_of,
    read_entry,
    unwrapped,
)
from threadwell.messages import Broken, Message

#: What the lists are called in which an API, or a program, gives messages.
_LISTS = ("messages", "records", "items", "data")
_SID = re.compile(r'"s?[Ss]id"\s*:\s*"(?:SM|MM)[0-9a-fA-F]{32}"')
_DATE = re.compile(r'"date_?(?:[Ss]ent|[Cc]reated)"\s*:')
_ENDS = re.compile(r'"(?:from|to|From|To)"\s*:')
_PAGE = re.compile(r'"messages"\s*:\s*\[')
_URI = re.compile(r'"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}/Messages')
_CONVERSATION = re.compile(r'"conversation_?[Ss]id"\s*:\s*"CH[0-9a-fA-F]{32}"')
_KNOWN = frozenset({*NEEDED, "status", "direction", "accountsid", "numsegments", "errorcode"})
#: Columns that no other table has.
_OWN = frozenset({"sid", "accountsid", "numsegments"})
_OF_CONVERSATIONS = (
    "messages of Twilio Conversations, which do not say who received them: export the message log, "
    "which has each of their texts"
)
_TABLE_OF = "a message log of Twilio needs the columns "


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file is a log: by the ids and members of its messages, or by its columns."""
    if text := json_head(head):
        if _SID.search(text):
            return bool(_DATE.search(text) and _ENDS.search(text))
        return bool(_PAGE.search(text) and _URI.search(text))
    names = _columns(head)
    return bool(names) and not _missing(names)


def nearly(head: bytes, _path: Path) -> str:
    """What a file of Twilio's lacks to be a log of messages."""
    if text := json_head(head):
        return _OF_CONVERSATIONS if _CONVERSATION.search(text) else ""
    names = _columns(head)
    if len(_KNOWN.intersection(names)) < len(NEEDED) or not _OWN.intersection(names):
        return ""
    return _TABLE_OF + ", ".join(_missing(names))


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """The message of every entry; one that is none comes back with its place and the reason."""
    with path.open("rb") as file:
        is_json = bool(json_head(file.read(256)))
    yield from _read_json(path, options) if is_json else _read_csv(path, options)


def _read_json(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    def parse(record: dict[str, Any], notes: tuple[str, ...]) -> Message | Refused:
        return read_entry(members_of(unwrapped(record)), options, notes)

    return read_records(path, NAME, _LISTS, parse)


def _read_csv(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    with open_rows(path) as rows:
        delimiter, names = best_cut(rows.header, rows.delimiter, _is_known)
        members = [member_name(name) for name in names]
        if missing := _missing(members):
            where = f"{path.name}, row {rows.number}"
            reason = _TABLE_OF + ", ".join(missing)
            yield Broken(NAME, where, reason, rows.head_bytes, "text/plain")
            return
        for line in rows.below(delimiter, len(names)):
            where = f"{path.name}, row {line.number}"
            parsed = (
                Refused(line.wrong)
                if line.wrong
                else read_entry(dict(zip(members, line.cells, strict=True)), options)
            )
            if isinstance(parsed, Refused):
                reason, set_aside = parsed
                yield Broken(NAME, where, reason, line.content, "text/plain", set_aside=set_aside)
            else:
                yield parsed


def _columns(head: bytes) -> list[str]:
    lines = text_head(head).lstrip("\ufeff").splitlines()[:2]
    if not lines or "\0" in lines[0]:
        return []
    delimiter = delimiter_line(lines[0])
    header = lines[-1] if delimiter else lines[0]
    return [member_name(name) for name in best_cut(header, delimiter, _is_known)[1]]


def _missing(names: list[str]) -> list[str]:
    missing = [name for name in NEEDED if name not in names]
    return missing if {"direction", "status"} & {*names} else [*missing, "direction"]


def _is_known(name: str) -> bool:
    return member_name(name) in _KNOWN
