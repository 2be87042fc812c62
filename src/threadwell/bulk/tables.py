"""The rows of a view over a store, as CSV, NDJSON, JSON or Parquet: streamed, however many."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib import import_module
from importlib.resources import files
from time import perf_counter
from typing import Any

from threadwell.fhir.fhirpath.compare import is_number
from threadwell.fhir.json import decode, encode
from threadwell.fhir.search.query import Query
from threadwell.fhir.views.definition import Cells, Column, View
from threadwell.fhir.views.paths import MOST_LETTERS, TooMuch
from threadwell.stores.aside import LARGE, aside
from threadwell.stores.contract import Reading, Stored
from threadwell.stores.scanning import scan

#: Media types, by what people call the formats.
FORMATS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
#: Resources that are made into rows at a time, rows that are written at a time, and rows of a group
#: in Parquet.
_AT_ONCE, _ROWS, _GROUP = 200, 1_000, 20_000
#: Letters from which on rows are written apart, and those of a group.
_LETTERS, _GROUP_LETTERS = 1_000_000, 32_000_000
#: Integers of Parquet are less.
_LARGEST = 2**63
#: Seconds that making them goes on at a time.
_STRETCH = 0.1
_SHIPPED = ("messages", "response_times", "sessions", "threads")


class NoParquet(Exception):
    """There is no library that writes Parquet; the message says which."""

    def __init__(self) -> None:
        super().__init__("Parquet needs pyarrow")


class WrongType(Exception):
    """A value is not of the type of its column; the message names both, and not the value."""

    def __init__(self, column: Column) -> None:
        super().__init__(f"{column.name} has a value that is no {column.type}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the table is to be: ``most`` rows (``None``: all), in CSV with the columns' names."""

    format: str = "csv"
    header: bool = True
    most: int | None = None


def shipped(name: str) -> dict[str, Any] | None:
    """The ViewDefinition of ours under that name."""
    if name not in _SHIPPED:
        return None
    text = files(__package__).joinpath("shipped", f"{name}.json").read_bytes()
    found: dict[str, Any] = decode(text)
    return found


def shipped_names() -> tuple[str, ...]:
    """The names of our own views."""
    return _SHIPPED


async def rows_of(
    store: Reading, project: str, view: View, query: Query, most: int | None = None
) -> AsyncIterator[list[Cells]]:
    """The rows of what a query finds, some resources at a time; raises ``TooMuch`` and
    ``SeveralValues``.
    """
    left = most
    async for rows in _made(store, project, view, query):
        yield rows if left is None else rows[:left]
        if left is not None and (left := left - len(rows)) <= 0:
            return


async def _made(
    store: Reading, project: str, view: View, query: Query
) -> AsyncIterator[list[Cells]]:
    some: list[Stored] = []
    async for one in scan(store, project, query):
        some.append(one)
        if len(some) == _AT_ONCE:
            async for rows in _of(view, some):
                yield rows
            some = []
    async for rows in _of(view, some):
        yield rows


async def _of(view: View, versions: Sequence[Stored]) -> AsyncIterator[list[Cells]]:
    """The rows of some, never many together, with turns for others in between."""
    done = 0
    while done < len(versions):
        # How long a view takes says no size: it is always made aside.
        pieces, count = await aside(LARGE, partial(_pieces, view, versions[done:]))
        done += count
        for rows in pieces:
            yield rows
            await asyncio.sleep(0)


def _pieces(view: View, versions: Sequence[Stored]) -> tuple[list[list[Cells]], int]:
    """The rows of the first of them, in pieces that are written together, and of how many: as far
    as one comes in a stretch.
    """
    found: list[list[Cells]] = []
    since = perf_counter()
    piece: list[Cells] = []
    done = letters = 0
    for one in versions:
        for row in view.rows(decode(one.body)):
            size = _letters(row)
            letters += size
            if piece and (letters > _LETTERS or len(piece) == _ROWS):
                found.append(piece)
                piece, letters = [], size
            piece.append(row)
        done += 1
        if perf_counter() - since > _STRETCH:
            break
    return ([*found, piece] if piece else found), done


def _letters(row: Cells) -> int:
    """About how many letters a row is written in; raises ``TooMuch`` where nobody can want it."""
    size = 0
    for value in row.values():
        kind = type(value)
        if kind is str:
            size += len(value)
        elif kind is list or kind is dict:
            for one in value if kind is list else (value,):
                if type(one) is str:
                    size += len(one)
                elif type(one) is dict:
                    size += len(encode(one))
                if size > MOST_LETTERS:
                    break
    if size > MOST_LETTERS:
        raise TooMuch(f"a row has more than {MOST_LETTERS:,} letters")
    return size


def written(
    wanted: Wanted, columns: Sequence[Column], rows: AsyncIterator[list[Cells]]
) -> AsyncIterator[bytes]:
    """The rows in a format; raises ``NoParquet``, and for Parquet ``WrongType``."""
    match wanted.format:
        case "csv":
            return _csv(columns, rows, header=wanted.header)
        case "ndjson":
            return _ndjson(columns, rows)
        case "json":
            return _json(columns, rows)
        case _:
            return _parquet(columns, rows)


async def _csv(
    columns: Sequence[Column], rows: AsyncIterator[list[Cells]], *, header: bool
) -> AsyncIterator[bytes]:
    names = [column.name for column in columns]
    if header:
        yield _lines([names])
    async for some in rows:
        yield _lines([[_cell(row[name]) for name in names] for row in some])


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return encode(value).decode() if isinstance(value, dict | list) else value


def _ordered(columns: Sequence[Column], row: Cells) -> bytes:
    return encode({column.name: row[column.name] for column in columns})


async def _ndjson(
    columns: Sequence[Column], rows: AsyncIterator[list[Cells]]
) -> AsyncIterator[bytes]:
    async for some in rows:
        if some:
            yield b"".join([_ordered(columns, row) + b"\n" for row in some])


async def _json(
    columns: Sequence[Column], rows: AsyncIterator[list[Cells]]
) -> AsyncIterator[bytes]:
    before = b"["
    async for some in rows:
        for row in some:
            yield before + _ordered(columns, row)
            before = b",\n"
    yield b"[]" if before == b"[" else b"]"


def check_types(columns: Sequence[Column], rows: Sequence[Cells]) -> None:
    """Raise ``WrongType`` where rows cannot be written as Parquet."""
    for column in columns:
        change = _change(column)
        for row in rows:
            change(row[column.name])


def check_parquet() -> None:
    """Raise ``NoParquet`` where it cannot be written."""
    _library()


def _library() -> tuple[Any, Any]:
    # An extra: most do without it.
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise NoParquet from None


async def _parquet(
    columns: Sequence[Column], rows: AsyncIterator[list[Cells]]
) -> AsyncIterator[bytes]:
    pyarrow, parquet = _library()
    schema = pyarrow.schema([(one.name, _arrow(pyarrow, one)) for one in columns])
    changes = {one.name: _change(one) for one in columns}
    sink = _Sink()
    writer = parquet.ParquetWriter(pyarrow.PythonFile(sink, mode="w"), schema, compression="zstd")
    waiting: list[Cells] = []
    letters = 0

    def flush() -> bytes:
        if waiting:
            table = {name: [to(row[name]) for row in waiting] for name, to in changes.items()}
            writer.write_table(pyarrow.table(table, schema=schema))
            waiting.clear()
        return sink.taken()

    async for some in rows:
        waiting += some
        letters += sum(map(_letters, some))
        if len(waiting) >= _GROUP or letters > _GROUP_LETTERS:
            yield flush()
            letters = 0
    yield flush()
    writer.close()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Takes what is written, until somebody takes it away."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """What has been written since."""
        made = b"".join(self._parts)
        self._parts.clear()
        return made


def _arrow(pyarrow: Any, column: Column) -> Any:
    kinds = {
        "boolean": pyarrow.bool_(),
        "integer": pyarrow.int64(),
        "positiveInt": pyarrow.int64(),
        "unsignedInt": pyarrow.int64(),
        "decimal": pyarrow.float64(),
    }
    kind = kinds.get(column.type, pyarrow.string())
    return pyarrow.list_(kind) if column.many else kind


def _change(column: Column) -> Callable[[Any], Any]:
    def one(value: Any) -> Any:
        if value is None:
            return None
        match column.type:
            case "boolean":
                made: Any = value if isinstance(value, bool) else None
            case "integer" | "positiveInt" | "unsignedInt":
                fits = is_number(value) and abs(value) < _LARGEST and value == int(value)
                made = int(value) if fits else None
            case "decimal":
                fits = is_number(value) and abs(value) < sys.float_info.max
                made = float(value) if fits else None
            case _:
                if isinstance(value, str):
                    return value
                return str(value) if isinstance(value, Decimal) else encode(value).decode()
        if made is None:
            raise WrongType(column)
        return made

    return (lambda values: [one(value) for value in values]) if column.many else one
