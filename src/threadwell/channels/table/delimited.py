"""The table as CSV: with commas, semicolons, tabs or bars, as spreadsheets write it (RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.table.cleaning import Refused, Row
from threadwell.channels.table.columns import Head, delimiter_line, parse_head
from threadwell.channels.text import encoding_of

#: A longer cell is a quotation mark that was never closed.
_LONGEST_CELL = 4 * 1024 * 1024
_LIST_SEPARATOR = ";"
_LISTS = frozenset({"to", "attachments"})
#: Columns whose names Python has taken.
_FIELDS = {"from": "from_"}
_NEEDED = {"sent": "", "from_": "", "text": ""}


class Record(NamedTuple):
    """A row, its number (the first line of a file is row 1), and its bytes in the file."""

    number: int
    row: Row | Refused
    content: bytes


def read_delimited(path: Path) -> Iterator[Record]:
    """Every row below the header, in constant memory."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(4))
    # Kept per process by the csv module; nothing else here reads CSV with a smaller limit.
    csv.field_size_limit(_LONGEST_CELL)
    # UTF-16 has no way to keep a byte that is none of it.
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        lines = _Lines(file)
        header, number = next(lines, ""), 1
        if delimiter := delimiter_line(header):
            header, number = next(lines, ""), 2
        head = parse_head(header, delimiter)
        if head.problem:
            yield Record(number, Refused("header", head.problem), lines.taken())
            return
        lines.taken()
        columns = [(_FIELDS.get(name, name), at) for at, name in enumerate(head.columns) if name]
        reader = csv.reader(lines, _dialect(head), strict=True)
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Record(number, Refused("", f"is not CSV: {error}"), lines.give_back())
                reader = csv.reader(lines, _dialect(head), strict=True)
                continue
            if cells is None:
                return
            content = lines.taken()
            if any(cell.strip() for cell in cells):
                yield Record(number, _row(cells, columns, len(head.names)), content)


class _Lines:
    """Lines of a file, remembering those that were taken since the last time it was asked.

    A line that is not UTF-8 is taken for Windows-1252, in which spreadsheets write CSV.
    """

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._returned: list[str] = []
        self._taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._returned.pop() if self._returned else next(self._file)
        self._taken.append(line)
        if line.isascii():
            return line
        content = line.encode("utf-8", "surrogateescape")
        try:
            content.decode()
        except UnicodeDecodeError:
            return content.decode("cp1252", "replace")
        return line

    def give_back(self) -> bytes:
        """The first line that was taken; the others come again, as rows of their own.

        A quotation mark that is never closed swallows what follows it.
        """
        self._returned.extend(reversed(self._taken[1:]))
        del self._taken[1:]
        return self.taken()

    def taken(self) -> bytes:
        """The bytes of all lines since the last time."""
        content = "".join(self._taken).encode("utf-8", "surrogateescape")
        self._taken.clear()
        return content


def _dialect(head: Head) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        delimiter = head.delimiter

    return Dialect


def _row(cells: list[str], columns: Sequence[tuple[str, int]], width: int) -> Row | Refused:
    # A spreadsheet leaves empty cells at the end of a row out, or adds some.
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        cells = cells[:width]
    if len(cells) != width:
        return Refused("", f"has {len(cells)} cells where the header has {width}")

    values: dict[str, Any] = dict(_NEEDED)
    for name, place in columns:
        cell = cells[place].strip()
        values[name] = _listed(cell) if name in _LISTS else cell
    return Row(**values)


def _listed(cell: str) -> tuple[str, ...]:
    if _LIST_SEPARATOR not in cell:
        return (cell,) if cell else ()
    return tuple([one.strip() for one in cell.split(_LIST_SEPARATOR) if one.strip()])
