"""A table becomes messages, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zlib import crc32

from threadwell.channels.channel import HEAD_BYTES, Channel, ReadOptions, Span
from threadwell.channels.delimited import open_rows
from threadwell.channels.table.cleaning import Refused, Row
from threadwell.channels.table.columns import Head, head_of, parse_head, shortcoming
from threadwell.channels.table.delimited import Record, read_delimited
from threadwell.channels.table.jsonl import (
    is_row,
    is_row_begun,
    may_have_key,
    read_jsonl,
    shortcoming_of,
)
from threadwell.channels.table.mapping import PLAIN, Columns
from threadwell.channels.table.parquet import (
    LACKS,
    borders,
    can_read,
    is_parquet,
    parquet_head,
    read_parquet,
)
from threadwell.channels.table.row import NAME, Table, attachment_path, parse_row
from threadwell.channels.table.spans import ALL, Part, spans_of_lines, spans_of_rows
from threadwell.channels.text import encoding_of, text_head
from threadwell.messages import Broken, Message

#: The column that names files beside the table, and that of ids.
_FILES, _ID = "attachments", "id"
#: Encodings of which a part can be read.
_UTF8 = frozenset({"utf-8", "utf-8-sig"})
#: What files of tables are called. Only for a better word about one that cannot be read.
_TABLES = frozenset({".csv", ".tsv", ".tab", ".psv"})


def sniff(head: bytes, path: Path) -> bool:
    """Whether a file has the needed columns: its header, its JSON objects, its schema."""
    if is_parquet(head):
        return _is_table(path)
    if _is_json(head):
        return any(map(is_row, head.split(b"\n"))) or is_row_begun(head)
    found = _head(head)
    return found is not None and not found.missing


def nearly(head: bytes, path: Path) -> str:
    """What a file that looks like a table lacks to be one of messages."""
    if is_parquet(head):
        there = parquet_head(path) if can_read() else None
        if there:
            return shortcoming(there, True, may_be_named=False)
        return "" if can_read() else LACKS
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return shortcoming_of(head)
    found = _head(head)
    return shortcoming(found, path.suffix.lower() in _TABLES) if found else ""


def read(path: Path, options: ReadOptions, said: Columns = PLAIN) -> Iterator[Message | Broken]:
    """The message of every row; a row that is none comes back with its number and the reason."""
    table, part = Table(path.parent, options), Part(options.span or ALL)
    for record in _striped(_records(path, said, part), *options.stripe):
        row = record.row
        parsed = row if isinstance(row, Refused) else parse_row(row, table)
        if isinstance(parsed, Refused):
            where = f"{path.name}, row {record.number}"
            column, reason, aside = parsed
            reason = f"{column}: {reason}" if column else reason
            yield Broken(NAME, where, reason, record.content, "text/plain", set_aside=aside)
        else:
            if options.span and parsed.made_id:
                # Which of several that are alike it is, only those tell who read all of it.
                return
            yield parsed
    if part.fits:
        options.fits()


def spans(path: Path, count: int, said: Columns = PLAIN) -> list[Span]:
    """About so many parts of a file that are read each by itself.

    None of one whose rows have no ids: they are made by all that came before.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if is_parquet(head):
        found = parquet_head(path, said) if can_read() else None
        has_ids = found is not None and not found.problem and _ID in found.names
        return spans_of_rows(borders(path), count) if has_ids else []
    if _is_json(head):
        return spans_of_lines(path, count, quoted=False) if may_have_key(head, _ID) else []
    found = _head(head, said)
    found = said.of(found) if found else None
    if found is None or found.problem or _ID not in found.names or encoding_of(head) not in _UTF8:
        return []
    return spans_of_lines(path, count, quoted=True)


def companions(path: Path, said: Columns = PLAIN) -> Iterator[Path]:
    """The files that the rows name as attachments; most tables have no column for that."""
    for record in _records(path, said) if _may_name_files(path, said) else ():
        if isinstance(record.row, Row):
            for name in record.row.attachments:
                found = attachment_path(name, path.parent)
                if found is not None:
                    yield found


def with_columns(said: Columns) -> Channel:
    """The channel that also knows tables whose columns are called as was ``said``, as CSV."""

    def sniffed(head: bytes, path: Path) -> bool:
        if is_parquet(head):
            return _is_table(path) or _is_table(path, said)
        return sniff(head, path) or _is_said(head, said)

    def named(path: Path) -> Iterator[Path]:
        return companions(path, said)

    def records(path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
        return read(path, options, said)

    def cut(path: Path, count: int) -> list[Span]:
        return spans(path, count, said)

    return replace(CHANNEL, sniff=sniffed, read=records, companions=named, spans=cut)


def _striped(records: Iterator[Record], stripe: int, of: int) -> Iterator[Record]:
    """Every record of a stripe. Rows that say the same are in one: they are counted there."""
    if of == 1:
        return records
    return (one for one in records if _what_it_says(one) % of == stripe)


def _what_it_says(record: Record) -> int:
    if isinstance(record.row, Refused):
        return record.number
    return crc32(record.row.text.encode("utf-8", "surrogatepass"))


def _is_said(head: bytes, said: Columns) -> bool:
    if _is_json(head):
        return False
    found = _head(head, said)
    if found is None or not said.applies(found):
        return False
    return not said.of(found).problem


def _records(path: Path, said: Columns, part: Part | None = None) -> Iterator[Record]:
    with path.open("rb") as file:
        head = file.read(64)
    if is_parquet(head):
        return read_parquet(path, said, part)
    return read_jsonl(path, part) if _is_json(head) else read_delimited(path, said, part)


def _may_name_files(path: Path, said: Columns) -> bool:
    """Whether rows may name attachments: a file of millions is not read to learn that none does."""
    if _FILES in said.fixed:
        return True
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if is_parquet(head):
            found = parquet_head(path, said) if can_read() else None
            return found is not None and _FILES in found.names
        if _is_json(head):
            file.seek(0)
            return any(may_have_key(line, _FILES) for line in file)
    with open_rows(path) as rows:
        return _FILES in said.of(parse_head(rows.header, rows.delimiter, said.theirs)).names


def _is_table(path: Path, said: Columns = PLAIN) -> bool:
    """Whether Parquet has the needed columns. In an archive it has to be unpacked to know."""
    if not can_read():
        return False
    if not path.exists():
        return True
    found = parquet_head(path, said)
    return found is not None and not found.problem


def _head(head: bytes, said: Columns = PLAIN) -> Head | None:
    lines = text_head(head).lstrip("\ufeff").splitlines()[:2]
    return head_of(lines, said.theirs) if lines and "\0" not in "".join(lines) else None


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


CHANNEL = Channel(
    name=NAME,
    label="Messages",
    description="Table: messages as CSV, JSON Lines or Parquet; its README documents the columns",
    sniff=sniff,
    read=read,
    companions=companions,
    nearly=nearly,
    striped=True,
    spans=spans,
)
