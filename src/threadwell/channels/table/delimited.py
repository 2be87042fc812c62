"""The table as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.delimited import open_rows
from threadwell.channels.table.cleaning import Refused, Row
from threadwell.channels.table.columns import Head, parse_head
from threadwell.channels.table.mapping import PLAIN, Columns
from threadwell.channels.table.spans import Part

_LIST_SEPARATOR = ";"
_LISTS = frozenset({"to", "attachments"})
#: Columns whose names Python has taken.
_FIELDS = {"from": "from_"}
_ASIDE = Refused("", "of a kind that was to be set aside", set_aside=True)
_NEEDED = {"sent": "", "from_": "", "text": ""}


class Record(NamedTuple):
    """A row, its number (the first line of a file is row 1), and its bytes in the file."""

    number: int
    row: Row | Refused
    content: bytes


def read_delimited(path: Path, said: Columns = PLAIN, part: Part | None = None) -> Iterator[Record]:
    """Every row below the header, in constant memory; ``said`` is what others call the columns."""
    part = part or Part()
    with open_rows(path, part.span.begins, part.span.before) as rows:
        cut = parse_head(rows.header, rows.delimiter, said.theirs)
        head = said.of(cut)
        if head.problem:
            yield Record(rows.number, Refused("header", head.problem), rows.head_bytes)
            return
        of_cells = Rows(cut, head, said)
        for line in rows.below(head.delimiter, len(head.names), part.span.ends):
            row = Refused("", line.wrong) if line.wrong else of_cells.row(line.cells)
            yield Record(line.number, row, line.content)
        part.ended(rows.at, rows.number)


class Rows:
    """Rows out of cells. ``cut`` is the head as the table has it, ``head`` that with our names."""

    def __init__(self, cut: Head, head: Head, said: Columns) -> None:
        names = enumerate(head.columns)
        self._columns = [(_FIELDS.get(name, name), at) for at, name in names if name]
        fixed = {_FIELDS.get(name, name): value for name, value in said.fixed.items()}
        self._fixed = fixed if said.applies(cut) else {}
        self._aside = [
            (at, said.aside[name]) for at, name in enumerate(cut.names) if name in said.aside
        ]

    def row(self, cells: list[str]) -> Row | Refused:
        """The row of some cells, unless it is to be set aside."""
        if self._aside and _is_aside(cells, self._aside):
            return _ASIDE
        return _row(cells, self._columns, self._fixed)


def _row(cells: list[str], columns: Sequence[tuple[str, int]], fixed: Mapping[str, str]) -> Row:
    values: dict[str, Any] = dict(_NEEDED)
    for name, place in columns:
        cell = cells[place].strip()
        values[name] = _listed(cell) if name in _LISTS else cell
    for name, value in fixed.items():
        if not values.get(name):
            values[name] = _listed(value) if name in _LISTS else value
    return Row(**values)


def _is_aside(cells: list[str], aside: Sequence[tuple[int, frozenset[str]]]) -> bool:
    return any(cells[at].strip().casefold() in values for at, values in aside)


def _listed(cell: str) -> tuple[str, ...]:
    if _LIST_SEPARATOR not in cell:
        return (cell,) if cell else ()
    return tuple([one.strip() for one in cell.split(_LIST_SEPARATOR) if one.strip()])
