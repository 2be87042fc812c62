"""Text for people: aligned tables and a little colour, where a person looks on."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from threadwell.cli.streams import colour_mark
from threadwell.shown import in_json, on_a_line

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """``text`` in a colour where ``stream`` is a terminal and ``NO_COLOR`` is not set.

    The colour is a mark that a guarded stream turns into the terminal's code.
    """
    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"{colour_mark(_COLOURS[colour])}{text}{colour_mark('0')}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of aligned columns under ``head``. A column of numbers is aligned to the right."""
    return Table(head).lines(rows)


class Table:
    """Aligned columns whose rows come some at a time: they stay as wide as they were."""

    def __init__(self, head: Sequence[str]) -> None:
        self._head = tuple(head)
        self._has_begun = False
        self._widths = [_width(cell) for cell in self._head]

    def lines(self, rows: Sequence[Sequence[str]]) -> str:
        """The next lines; the first of all is the head."""
        cells = [tuple(map(on_a_line, row)) for row in rows]
        columns = list(zip(self._head, *cells, strict=True))
        self._widths = [
            max(before, *map(_width, column))
            for before, column in zip(self._widths, columns, strict=True)
        ]
        numeric = [all(cell.isdigit() for cell in c[1:]) and len(rows) > 0 for c in columns]
        shown = cells if self._has_begun else [self._head, *cells]
        lines = ["  ".join(map(_pad, row, self._widths, numeric)).rstrip() for row in shown]
        if not self._has_begun:
            lines[0] = paint(lines[0], "bold")
            self._has_begun = True
        return "\n".join(lines)


def on_a_clock(seconds: float) -> str:
    """A time in seconds since 1970 UTC as ISO 8601, to the second; ``""`` for 0."""
    if not seconds:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def print_json(value: Any) -> None:
    """``value`` as indented JSON, in the order of its members; decimals keep their digits.

    What a terminal must not be sent is escaped: read by a program, it is the same.
    """
    # Loaded only here: most of what a command prints needs no JSON.
    import msgspec

    from threadwell.fhir.json import encode

    print(in_json(msgspec.json.format(encode(value), indent=2).decode()))


class JsonList:
    """A list that is printed as ``print_json`` does, some of its items at a time."""

    def __init__(self) -> None:
        self._has_some = False

    def add(self, items: Sequence[Any]) -> None:
        """Print the next ones."""
        import msgspec

        from threadwell.fhir.json import encode

        if items:
            text = msgspec.json.format(encode(list(items)), indent=2).decode()
            print(",\n" if self._has_some else "[\n", end="")
            print(in_json(text.removeprefix("[\n").removesuffix("\n]")), end="")
            self._has_some = True

    def end(self) -> None:
        """No more come."""
        print("\n]" if self._has_some else "[]")


def plural(count: int, noun: str) -> str:
    """``1 session``, ``1,200 sessions``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def lines(text: str) -> list[str]:
    """The lines of ``text``, each fit to be shown."""
    return [on_a_line(line) for line in text.expandtabs(4).splitlines()]


def _pad(cell: str, width: int, right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )
