"""A table becomes messages, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.table.delimited import Record, columns_of, read_delimited
from threadwell.channels.table.jsonl import is_row, is_row_begun, read_jsonl
from threadwell.channels.table.row import NAME, Refused, Row, attachment_path, parse_row
from threadwell.channels.text import text_head
from threadwell.messages import Broken, Message


def sniff(head: bytes, _path: Path) -> bool:
    """Whether a file begins with a header, or with JSON objects, of the needed columns."""
    if _is_json(head):
        return any(map(is_row, head.split(b"\n"))) or is_row_begun(head)
    first = text_head(head).lstrip("\ufeff").partition("\n")[0]
    return "\0" not in first and columns_of(first.rstrip("\r")) is not None


def read(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
    """The message of every row; a row that is none comes back with its number and the reason."""
    for record in _records(path):
        row = record.row
        parsed = row if isinstance(row, Refused) else parse_row(row, path.parent, options)
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


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


CHANNEL = Channel(
    name=NAME,
    description="Table: messages as CSV or JSON Lines, in the columns that its README documents",
    sniff=sniff,
    read=read,
    companions=companions,
)
