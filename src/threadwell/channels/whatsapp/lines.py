"""The lines of an export: which of them begin a message, and what they say before its text.

Every phone writes the date as its owner's locale does, so the pattern names no locale: three
numbers, a time, and then either ``[…]`` (iOS) or ``… -`` (Android).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.text import encoding_of

#: Marks of writing direction, which WhatsApp strews over a line.
MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_FIRST = frozenset("[\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")

_FORENOON = frozenset("am 上午 早上 凌晨 오전 午前 ص πμ öö sa pg पूर्वाह्न fm ap dop de".split())  # noqa: SIM905
_AFTERNOON = frozenset("pm 下午 中午 晚上 오후 午後 م μμ ös ch ptg अपराह्न em ip odp du".split())  # noqa: SIM905
_M = f"[{MARKS}]{{0,4}}"
_HALF = r"[ap]\.?\s?m\.?|π\.?μ\.?|μ\.?μ\.?|" + "|".join(
    sorted(map(re.escape, _FORENOON | _AFTERNOON), key=len, reverse=True)
)
_HEADER = re.compile(
    rf"{_M}(?P<bracket>\[)?{_M}"
    rf"(?P<a>\d{{1,4}}){_M}(?P<separator>[./-]){_M}\s?"
    rf"(?P<b>\d{{1,2}}){_M}(?P=separator){_M}\s?(?P<c>\d{{1,4}})\.?{_M}"
    rf"(?:[,،]\s?|\s(?:(?:à|às|um|kl\.?|klo|at)\s)?){_M}"
    rf"(?:(?P<before>{_HALF})\s?)?{_M}"
    rf"(?P<hour>\d{{1,2}})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?{_M}"
    rf"(?:\s?(?P<after>{_HALF}))?{_M}(?(bracket)\]|\s[-\u2013])\s?",
    re.IGNORECASE,
)


class Shape(NamedTuple):
    """What all headers of one export have in common; a pasted one of another is plain text."""

    bracket: bool
    separator: str


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a message: three numbers of a date in the order of the line, and the rest.

    ``time`` is ``None`` where the clock has no such hour. ``rest`` is what follows, with its
    marks.
    """

    shape: Shape
    numbers: tuple[str, str, str]
    time: time | None
    rest: str


class DatedLine(NamedTuple):
    """A line that begins as a message does, its number, and its place among those."""

    number: int
    place: int
    header: Header


@dataclass(slots=True)
class Block:
    """One message as it stands: the line that begins it, and all of its lines.

    Before the first of an export there is no ``dated`` one.
    """

    number: int
    dated: DatedLine | None
    lines: list[str] = field(default_factory=list)


def parse_header(line: str) -> Header | None:
    """The header that ``line`` begins with; ``None`` if it goes on with the message before."""
    if not line or not (line[0].isdigit() or line[0] in _FIRST):
        return None
    match = _HEADER.match(line)
    if match is None:
        return None
    shape = Shape(match["bracket"] is not None, match["separator"])
    numbers = match["a"], match["b"], match["c"]
    return Header(shape, numbers, _time(match), line[match.end() :])


def lines(path: Path, encoding: str) -> Iterator[tuple[str, DatedLine | None]]:
    """Every line of an export, and what it says where it begins as the first of a message."""
    shape: Shape | None = None
    place = 0
    with path.open(encoding=encoding, errors="replace") as file:
        for number, line in enumerate(file, start=1):
            header = parse_header(line)
            if header is None or shape not in (None, header.shape):
                yield line, None
                continue
            shape = header.shape
            yield line, DatedLine(number, place, header)
            place += 1


def blocks(path: Path, encoding: str, begins: Callable[[int], bool]) -> Iterator[Block]:
    """The messages of an export, each with the lines that belong to it.

    ``begins`` tells of each place whether that dated line begins a message, or goes on with the
    one before.
    """
    block = Block(1, None)
    for line, dated in lines(path, encoding):
        if dated is not None and begins(dated.place):
            if block.lines:
                yield block
            block = Block(dated.number, dated)
        block.lines.append(line)
    if block.lines:
        yield block


def file_encoding(path: Path) -> str:
    """The encoding of an export: UTF-8, unless a byte order mark says otherwise."""
    with path.open("rb") as file:
        return encoding_of(file.read(4))


def _time(match: re.Match[str]) -> time | None:
    hour = int(match["hour"])
    if half := match["before"] or match["after"]:
        hour = hour % 12 + (12 if _is_afternoon(half) else 0)
    try:
        return time(hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _is_afternoon(half: str) -> bool:
    return re.sub(r"[.\s]", "", half).lower() in _AFTERNOON
