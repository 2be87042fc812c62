"""CSV with commas, semicolons, tabs or bars, as spreadsheets write it (RFC 4180), row by row.

A row that is damaged costs itself and no other; each comes with its bytes in the file.
"""

from __future__ import annotations

import csv
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.text import encoding_of
from threadwell.messages.spreadsheet import unguarded

DELIMITERS = ",;\t|"
#: A longer cell is a quotation mark that was never closed.
_LONGEST_CELL = 4 * 1024 * 1024
_LONGEST_NAME = 60
#: What Excel takes as the delimiter of the file, on a line of its own above the header.
_NAMED_DELIMITER = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s_\-]+")


class Line(NamedTuple):
    """A row, its number (the first line of a file is row 1), and its bytes in the file.

    ``wrong`` says why it has no ``cells`` that could be read.
    """

    number: int
    cells: list[str]
    content: bytes
    wrong: str = ""


class Rows:
    """A file of CSV: its ``header``, and what is below; ``number`` is that of the row read last.

    ``delimiter`` is the one that the file names above its header, ``""`` where it names none. The
    text begins at the byte ``start`` of the file, behind its mark.
    """

    def __init__(self, file: Iterable[str], start: int = 0) -> None:
        self._lines = _Lines(file)
        self.header, self.number = next(self._lines, ""), 1
        self.delimiter = delimiter_line(self.header)
        if self.delimiter:
            self.header, self.number = next(self._lines, ""), 2
        self.head_bytes = self._lines.taken()
        #: The byte of the file at which what was read ends.
        self.at = start + len(self.head_bytes)

    def go_to(self, file: Iterable[str], at: int, number: int) -> None:
        """Go on at another place, with the lines from there: behind the row of that number."""
        self._lines, self.at, self.number = _Lines(file), at, number

    def below(self, delimiter: str, width: int, ends: int = sys.maxsize) -> Iterator[Line]:
        """Every row that is not empty; each has ``width`` cells, or is wrong.

        They come up to the byte ``ends``, or to the end of the row in which it is.
        """
        dialect = _dialect(delimiter)
        reader = csv.reader(self._lines, dialect, strict=True)
        while self.at < ends:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                content = self._lines.give_back()
                self.number += 1
                self.at += len(content)
                yield Line(self.number, [], content, f"is not CSV: {error}")
                reader = csv.reader(self._lines, dialect, strict=True)
                continue
            if cells is None:
                return
            content = self._lines.taken()
            self.number = number = self.number + 1
            self.at += len(content)
            if not any(cell.strip() for cell in cells):
                continue
            # A spreadsheet leaves empty cells at the end of a row out, or adds some.
            if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                cells = cells[:width]
            wrong = ""
            if len(cells) != width:
                wrong = f"has {len(cells)} cells where the header has {width}"
            yield Line(number, cells, content, wrong)


@contextmanager
def open_rows(path: Path, begins: int = 0, before: int = 0) -> Iterator[Rows]:
    """The rows of a file, in constant memory.

    Below the header they are those that come from the byte ``begins`` on, behind the row of the
    number ``before``, where that is said. A row has to begin there, and the file to be UTF-8.
    """
    with path.open("rb") as file:
        encoding = encoding_of(file.read(4))
    # Kept per process by the csv module; nothing else here reads CSV with a smaller limit.
    csv.field_size_limit(_LONGEST_CELL)
    # UTF-16 has no way to keep a byte that is none of it.
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    start = len(BOM_UTF8) if encoding == "utf-8-sig" else 0
    with path.open(encoding=encoding, errors=errors, newline="") as text:
        rows = Rows(text, start)
        if not begins:
            yield rows
            return
    with path.open("rb") as file:
        file.seek(begins)
        with TextIOWrapper(file, "utf-8", errors, newline="") as text:
            rows.go_to(text, begins, before)
            yield rows


def delimiter_line(line: str) -> str:
    """The delimiter that a line ``sep=;`` names; ``""`` for any other line."""
    named = _NAMED_DELIMITER.fullmatch(line.rstrip("\r\n"))
    return named[1] if named else ""


def column_names(header: str, delimiter: str) -> tuple[str, ...]:
    """The names in a header, in lower case with ``_`` between words; none where it is no header."""
    try:
        cells = next(csv.reader([header], _dialect(delimiter)), [])
    except csv.Error:
        return ()
    if any(len(cell) > _LONGEST_NAME for cell in cells):
        return ()
    return tuple(map(plain_name, cells))


def best_cut(
    header: str, delimiter: str, known: Callable[[str], bool]
) -> tuple[str, tuple[str, ...]]:
    """The delimiter by which a header has the most columns that are ``known``, and its names.

    ``delimiter`` is the one that the file names, if it does.
    """
    cuts = [(one, column_names(header, one)) for one in delimiter or DELIMITERS]
    return max(cuts, key=lambda cut: (sum(map(known, cut[1])), len(cut[1])))


def plain_name(name: str) -> str:
    """The name of a column in lower case, with ``_`` between words."""
    return _BETWEEN_WORDS.sub("_", unguarded(name.strip("\ufeff")).lower()).strip("_")


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


def _dialect(named: str) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        delimiter = named

    return Dialect
