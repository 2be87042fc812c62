"""The table as Parquet, a batch of rows at a time. It needs pyarrow, as no other file here does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from threadwell.channels.channel import Span
from threadwell.channels.delimited import plain_name
from threadwell.channels.table.cleaning import Refused
from threadwell.channels.table.columns import Head
from threadwell.channels.table.delimited import Record, Rows
from threadwell.channels.table.mapping import PLAIN, Columns
from threadwell.channels.table.spans import Part
from threadwell.installs import pip_install

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_AT_ONCE = 1000
#: What to do about it where it cannot be read.
LACKS = f"is Parquet, which needs pyarrow: {pip_install('threadwell[backfill]')}"
_UNREADABLE = "is not Parquet that can be read to its end"


def is_parquet(head: bytes) -> bool:
    """Whether a file begins as Parquet does."""
    return head.startswith(_MAGIC)


def can_read() -> bool:
    """Whether there is what reads Parquet."""
    return find_spec("pyarrow") is not None


def parquet_head(path: Path, said: Columns = PLAIN) -> Head | None:
    """The columns of a file, under our names where others were ``said``; ``None`` if it has none.

    Of a member of an archive, which is not on disk, nothing can be told.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return said.of(_head(pq.read_schema(path).names))
    except (pa.ArrowException, OSError):
        return None


def read_parquet(path: Path, said: Columns = PLAIN, part: Part | None = None) -> Iterator[Record]:
    """Every row, in constant memory; ``said`` is what others call the columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = part or Part()
    number = part.span.begins
    try:
        with pq.ParquetFile(path) as file:
            cut = _head(file.schema_arrow.names)
            head = said.of(cut)
            if problem := head.problem or _misshapen(head, file.schema_arrow):
                yield Record(1, Refused("header", problem), ",".join(cut.names).encode())
                return
            rows = Rows(cut, head, said)
            for batch in _batches(file, part.span):
                columns = [_values(column) for column in batch.columns]
                for values in zip(*columns, strict=True):
                    number += 1
                    cells = [_cell(value) for value in values]
                    if any(cells):
                        yield Record(number, rows.row(cells), _bytes(cut, cells))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # The system says so, and not what is in the file.
        yield Record(number + 1, Refused("", _UNREADABLE), b"")
        return
    part.ended(number, number)


def borders(path: Path) -> list[int]:
    """Behind how many rows each group of rows ends, the last one with all rows; none unreadable."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        told = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return []
    return list(accumulate(told.row_group(one).num_rows for one in range(told.num_row_groups)))


def _batches(file: pq.ParquetFile, span: Span) -> Iterator[pa.RecordBatch]:
    """The rows of a span; groups of rows without any of them are not read."""
    told, end = file.metadata, 0
    groups: list[int] = []
    at = 0
    for number in range(told.num_row_groups):
        start, end = end, end + told.row_group(number).num_rows
        if start < span.ends and end > span.begins:
            at = at if groups else start
            groups.append(number)
    for batch in file.iter_batches(_AT_ONCE, groups) if groups else ():
        start, at = at, at + batch.num_rows
        first = max(span.begins - start, 0)
        rows = batch.slice(first, max(min(at, span.ends) - start - first, 0))
        if rows.num_rows:
            yield rows


def _head(names: list[str]) -> Head:
    return Head("", tuple(map(plain_name, names)))


def _misshapen(head: Head, schema: pa.Schema) -> str:
    """Which of our columns has values within values, of which nobody can say what text they are."""
    import pyarrow as pa

    for name, type_ in zip(head.columns, schema.types, strict=True):
        is_list = pa.types.is_list(type_) or pa.types.is_large_list(type_)
        if name and pa.types.is_nested(type_.value_type if is_list else type_):
            return f"has structures in the column {name}, and no text"
    return ""


def _values(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_fixed_size_binary(column.type):
        # Never text: an id as bytes, sixteen of which are a UUID.
        found = column.to_pylist()
        return [one and (str(UUID(bytes=one)) if len(one) == 16 else one.hex()) for one in found]
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values


def _cell(value: Any) -> str:
    """A value as a table writes it."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case datetime():
            return value.isoformat()
        case bytes():
            return _decoded(value).strip()
        case list():
            return ";".join(map(_cell, value))
        case _:
            return str(value)


def _decoded(value: bytes) -> str:
    """Bytes as text: what is not UTF-8 is taken for Windows-1252, as it is in CSV."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _bytes(head: Head, cells: list[str]) -> bytes:
    return msgspec.json.encode(dict(zip(head.names, cells, strict=True)))
