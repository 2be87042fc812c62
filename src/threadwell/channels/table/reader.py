"""A table becomes messages, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.table.cleaning import Refused, Row
from threadwell.channels.table.columns import Head, head_of, shortcoming
from threadwell.channels.table.delimited import Record, read_delimited
from threadwell.channels.table.jsonl import is_row, is_row_begun, read_jsonl, shortcoming_of
from threadwell.channels.table.row import NAME, Table, attachment_path, parse_row
from threadwell.channels.text import text_head
from threadwell.messages import Broken, Message

#: What files of tables are called. Only for a better word about one that cannot be read.
_TABLES = frozenset({".csv", ".tsv", ".tab", ".psv"})


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file begins with a header, or with JSON objects, of the needed columns."""
    if _is_json(head):
        return any(map(is_row, head.split(b"\n"))) or is_row_begun(head)
    found = _head(head)
    return found is not None and not found.missing


def nearly(head: bytes, path: Path) -> str:
    """What a file that looks like a table lacks to be one of messages."""
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return shortcoming_of(head)
    found = _head(head)
    return shortcoming(found, path.suffix.lower() in _TABLES) if found else ""


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """The message of every row; a row that is none comes back with its number and the reason."""
    table = Table(path.parent, options)
    for record in _records(path):
        row = record.row
        parsed = row if isinstance(row, Refused) else parse_row(row, table)
        if isinstance(parsed, Refused):
            where = f"{path.name}, row {record.number}"
            reason = ": ".join(filter(None, parsed))
            yield Broken(NAME, where, reason, record.content, "text/plain")
        else:
            yield parsed


def companions(path: Path) -> Iterator[Path]:
    """The files that the rows name as attachments."""
    for record in _records(path):
        if isinstance(record.row, Row):
            for name in record.row.attachments:
                found = attachment_path(name, path.parent)
                if found is not None:
                    yield found


def _records(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        head = file.read(64)
    return read_jsonl(path) if _is_json(head) else read_delimited(path)


def _head(head: bytes) -> Head | None:
    lines = text_head(head).lstrip("\ufeff").splitlines()[:2]
    return head_of(lines) if lines and "\0" not in "".join(lines) else None


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


CHANNEL = Channel(
    name=NAME,
    label="Messages",
    description="Table: messages as CSV or JSON Lines, in the columns that its README documents",
    sniff=sniff,
    read=read,
    companions=companions,
    nearly=nearly,
)
