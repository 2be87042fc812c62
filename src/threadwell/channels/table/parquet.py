"""The table as Parquet, a batch of rows at a time. It needs pyarrow, as no other file here does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from threadwell.channels.delimited import plain_name
from threadwell.channels.table.cleaning import Refused
from threadwell.channels.table.columns import Head
from threadwell.channels.table.delimited import Record, Rows
from threadwell.channels.table.mapping import PLAIN, Columns

_MAGIC = b"PAR1"
_AT_ONCE = 1000
#: What to do about it where it cannot be read.
LACKS = "is Parquet, which needs pyarrow: pip install 'threadwell[backfill]'"
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


def read_parquet(path: Path, said: Columns = PLAIN) -> Iterator[Record]:
    """Every row, in constant memory; ``said`` is what others call the columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            cut = _head(file.schema_arrow.names)
            head = said.of(cut)
            if head.problem:
                yield Record(1, Refused("header", head.problem), ",".join(cut.names).encode())
                return
            rows = Rows(cut, head, said)
            for batch in file.iter_batches(_AT_ONCE):
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


def _head(names: list[str]) -> Head:
    return Head("", tuple(map(plain_name, names)))


def _values(column: Any) -> list[Any]:
    import pyarrow as pa

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
            return value.decode("utf-8", "replace").strip()
        case list():
            return ";".join(map(_cell, value))
        case _:
            return str(value)


def _bytes(head: Head, cells: list[str]) -> bytes:
    return msgspec.json.encode(dict(zip(head.names, cells, strict=True)))
