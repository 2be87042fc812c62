"""The table as CSV: with commas, semicolons or tabs, as spreadsheets write it (RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.table.row import COLUMNS, REQUIRED, Refused, Row
from threadwell.channels.text import encoding_of

_DELIMITERS = ",;\t"
#: A longer cell is a quotation mark that was never closed.
_LONGEST_CELL = 4 * 1024 * 1024
_LIST_SEPARATOR = ";"


class Record(NamedTuple):
    """A row, its number (the header is row 1), and its bytes in the file."""

    number: int
    row: Row | Refused
    content: bytes


def columns_of(header: str) -> dict[str, int] | None:
    """Where each known column stands in a header line; ``None`` if it is of another table."""
    try:
        cells = next(csv.reader([header], _dialect(header)), [])
    except csv.Error:
        return None
    names = [name.strip().lower() for name in cells]
    columns = {name: names.index(name) for name in COLUMNS if name in names}
    return columns if columns.keys() >= REQUIRED else None


def read_delimited(path: Path) -> Iterator[Record]:
    """Every row below the header, in constant memory."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(4))
    # Kept per process by the csv module; nothing else here reads CSV with a smaller limit.
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        lines = _Lines(file)
        header = next(lines, "")
        columns = columns_of(header)
        if columns is None:
            missing = ", ".join(sorted(REQUIRED))
            yield Record(1, Refused("header", f"needs the columns {missing}"), lines.taken())
            return
        width = len(next(csv.reader([header], _dialect(header))))
        lines.taken()
        reader = csv.reader(lines, _dialect(header), strict=True)
        number = 1
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Record(number, Refused("", f"is not CSV: {error}"), lines.give_back())
                reader = csv.reader(lines, _dialect(header), strict=True)
                continue
            if cells is None:
                return
            content = lines.taken()
            if cells:
                yield Record(number, _row(cells, columns, width), content)


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


def _dialect(header: str) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        delimiter = max(_DELIMITERS, key=header.count)

    return Dialect


def _row(cells: list[str], columns: dict[str, int], width: int) -> Row | Refused:
    if len(cells) != width:
        return Refused("", f"has {len(cells)} cells where the header has {width}")

    def cell(name: str) -> str:
        place = columns.get(name)
        return cells[place].strip() if place is not None else ""

    def listed(name: str) -> tuple[str, ...]:
        return tuple(one.strip() for one in cell(name).split(_LIST_SEPARATOR) if one.strip())

    return Row(
        id=cell("id"),
        thread=cell("thread"),
        sent=cell("sent"),
        from_=cell("from"),
        to=listed("to"),
        text=cell("text"),
        subject=cell("subject"),
        channel=cell("channel"),
        medium=cell("medium"),
        in_reply_to=cell("in_reply_to"),
        attachments=listed("attachments"),
    )
