"""The table as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.delimited import open_rows
from threadwell.channels.table.cleaning import Refused, Row
from threadwell.channels.table.columns import parse_head

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
    with open_rows(path) as rows:
        head = parse_head(rows.header, rows.delimiter)
        if head.problem:
            yield Record(rows.number, Refused("header", head.problem), rows.head_bytes)
            return
        columns = [(_FIELDS.get(name, name), at) for at, name in enumerate(head.columns) if name]
        for line in rows.below(head.delimiter, len(head.names)):
            row = Refused("", line.wrong) if line.wrong else _row(line.cells, columns)
            yield Record(line.number, row, line.content)


def _row(cells: list[str], columns: Sequence[tuple[str, int]]) -> Row:
    values: dict[str, Any] = dict(_NEEDED)
    for name, place in columns:
        cell = cells[place].strip()
        values[name] = _listed(cell) if name in _LISTS else cell
    return Row(**values)


def _listed(cell: str) -> tuple[str, ...]:
    if _LIST_SEPARATOR not in cell:
        return (cell,) if cell else ()
    return tuple([one.strip() for one in cell.split(_LIST_SEPARATOR) if one.strip()])
