"""A large table in spans: each is read by itself, and together they are the whole.

Where a row ends is a guess for CSV: at a line that no quotation mark is open at, if each opens or
closes a cell. Whoever reads a span finds out whether it was right. The first one begins where the
table does; where each ends at the place, and with the number, with which the next one begins, every
row was read as it would be without any spans.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadwell.channels.channel import Span

#: Bytes that are looked at at once.
CHUNK = 1024 * 1024
#: Every row.
ALL = Span(0, sys.maxsize, 0, 0)


@dataclass(slots=True)
class Part:
    """What of a table is read; it ``fits`` once it was read, and ended where it was to."""

    span: Span = ALL
    fits: bool = False

    def ended(self, at: int, number: int) -> None:
        """It was read to that place, and the last row is of that number."""
        self.fits = not self.span.last or (at, number) == (self.span.ends, self.span.last)


def spans_of_lines(path: Path, count: int, *, quoted: bool) -> list[Span]:
    """About so many spans of a file of UTF-8 whose rows end with a line.

    A line may end within a row where cells are ``quoted``. Raises ``OSError``.
    """
    size = path.stat().st_size
    cuts: list[tuple[int, int]] = []
    at = lines = 0
    for chunk in _unquoted(path) if quoted else _chunks(path):
        end = at + len(chunk)
        counted = 0
        while (wanted := size * (len(cuts) + 1) // count) < end and len(cuts) + 1 < count:
            # A row that is longer than a span leaves none for those in it.
            found = chunk.find(b"\n", max(wanted - at, counted))
            if found < 0:
                break
            lines += chunk.count(b"\n", counted, found + 1)
            counted = found + 1
            cuts.append((at + counted, lines))
        lines += chunk.count(b"\n", counted)
        at = end
    return _between(cuts, size)


def spans_of_rows(borders: Sequence[int], count: int) -> list[Span]:
    """About so many spans of rows that are in groups with those ``borders``: if it can be, whole
    groups.
    """
    rows = borders[-1] if borders else 0
    cuts: set[int] = set()
    for number in range(1, count):
        wanted = rows * number // count
        near = min(borders, key=lambda one: abs(one - wanted))
        cuts.add(near if abs(near - wanted) * 2 * count < rows else wanted)
    return _between([(one, one) for one in sorted(cuts) if 0 < one < rows], rows)


def _between(cuts: Sequence[tuple[int, int]], end: int) -> list[Span]:
    begins = [(0, 0), *cuts]
    ends = [*cuts, (end, 0)]
    return [
        Span(at, until, before, last)
        for (at, before), (until, last) in zip(begins, ends, strict=True)
        if at < until
    ]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _unquoted(path: Path) -> Iterator[bytes]:
    """The same; lines that end within a quotation do not."""
    inside = False
    for chunk in _chunks(path):
        if b'"' not in chunk:
            yield chunk.replace(b"\n", b" ") if inside else chunk
            continue
        parts = chunk.split(b'"')
        for number in range(not inside, len(parts), 2):
            parts[number] = parts[number].replace(b"\n", b" ")
        inside ^= len(parts) % 2 == 0
        yield b'"'.join(parts)
