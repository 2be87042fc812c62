"""Walks through a large JSON file value by value, and past what is damaged in it.

No more than one value of a list is in memory. A list of objects is read on behind one that is
damaged, by how its neighbours begin.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from sys import maxsize
from typing import Any, NamedTuple, TypeAlias

from threadwell.channels.json_text import decoded
from threadwell.channels.text import encoding_of

Content: TypeAlias = bytes | mmap

#: A file up to this size is read into memory; of a larger one the machine holds what is looked at.
_SMALL = 16 * 1024 * 1024
#: Of a piece that is damaged so much is kept; a message is never as large.
LONGEST_PIECE = 32 * 1024 * 1024
#: How often, reckoned by its bytes, a list may be looked at again for what is damaged in it: as far
#: as its end, and then no farther than some times the longest element that was sound.
_TO_THE_END, _NEARBY = 4, 16
_TIMES, _SHORTEST = 4, 4096
#: A margin before an element is no longer.
_LONGEST_MARGIN = 1024

_SPACE = re.compile(rb"[ \t\r\n]*+")
_BETWEEN = re.compile(rb"[ \t\r\n,]*+")
#: A string without escapes as a whole, the beginning of another one, or a bracket.
_MARK = re.compile(rb'"[^"\\]*+"|["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_SCALAR = re.compile(rb'[^\s,:"{}\[\]]++')
_FIRST_KEY = re.compile(rb'\{\s*+"[^"\\]{0,80}+"\s*+:')


class Damaged(Exception):
    """No JSON stands where a value has to; ``looked`` is how many bytes were looked at for it."""

    def __init__(self, looked: int = 0) -> None:
        super().__init__()
        self.looked = looked


class Piece(NamedTuple):
    """An element of a list of objects: where it begins, its bytes, and what it is.

    ``value`` is ``None`` where it is no object; ``content`` is empty where the list has no end.
    """

    offset: int
    content: bytes
    value: dict[str, Any] | None


@contextmanager
def opened(path: Path) -> Iterator[Content]:
    """The bytes of a file in UTF-8, without a byte order mark. Raises ``OSError``."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(4))
        file.seek(0)
        if path.stat().st_size > _SMALL and encoding == "utf-8":
            with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
                yield content
            return
        whole = file.read()
    if encoding == "utf-16":
        whole = whole.decode(encoding, "replace").encode("utf-8", "replace")
    yield whole.removeprefix(codecs.BOM_UTF8)


@dataclass(slots=True)
class Cursor:
    """A place in a JSON text; what it is asked for moves it behind that."""

    content: Content
    at: int = 0

    def members(self) -> Iterator[str]:
        """The keys of an object, standing at the value of each; what is not taken is passed over.

        Raises ``Damaged`` where no object stands here, or it goes wrong.
        """
        self._open(b"{")
        while self._byte(_BETWEEN) != b"}":
            key = self.value()
            if not isinstance(key, str) or self._byte(_SPACE) != b":":
                raise Damaged
            self.at += 1
            begins = self.at = self._past(_SPACE)
            yield key
            if self.at == begins:
                self.skip()
        self.at += 1

    def elements(self) -> Iterator[int]:
        """The elements of a list, standing at each, by the offset; as ``members``."""
        self._open(b"[")
        while self._byte(_BETWEEN) != b"]":
            begins = self.at
            yield begins
            if self.at == begins:
                self.skip()
        self.at += 1

    def pieces(self) -> Iterator[Piece]:
        """The elements of a list of objects. One that is none is a piece without a value.

        Ends, and stands at the end of the text, where the list has no end. Raises ``Damaged``
        where no list stands here. Work grows with the text: where damage is all there is, the rest
        is one piece in the end.
        """
        self._open(b"[")
        opening, search = b"", _Search(len(self.content))
        while (byte := self._byte(_BETWEEN)) != b"]":
            begins = self.at
            if not byte:
                yield Piece(begins, b"", None)
                return
            try:
                value = self.value(search.until(begins))
            except Damaged as damaged:
                search.looked += damaged.looked
                self.at = len(self.content)
                if not search.is_over:
                    self.at = self._next_alike(begins, opening)
                content = bytes(self.content[begins : min(self.at, begins + LONGEST_PIECE)])
                yield Piece(begins, content, None)
                if self.at >= len(self.content):
                    return
                continue
            content = bytes(self.content[begins : self.at])
            opening = opening or _opening(content)
            search.longest = max(search.longest, len(content))
            yield Piece(begins, content, value if isinstance(value, dict) else None)
        self.at += 1

    def value(self, until: int = maxsize) -> Any:
        """The value that stands here, and ends before ``until``. Raises ``Damaged``."""
        begins = self.at
        self.skip(until)
        try:
            return decoded(bytes(self.content[begins : self.at]))
        except ValueError as error:
            raise Damaged(self.at - begins) from error

    def skip(self, until: int = maxsize) -> None:
        """Go behind the value that stands here, and ends before ``until``. Raises ``Damaged``."""
        content, at, depth = self.content, self._past(_SPACE), 0
        if content[at : at + 1] not in (b'"', b"{", b"["):
            scalar = _SCALAR.match(content, at)
            if scalar is None:
                raise Damaged
            self.at = scalar.end()
            return
        looked = min(len(content), until) - at
        while True:
            mark = _MARK.search(content, at, until)
            if mark is None:
                raise Damaged(looked)
            at, what = mark.end(), mark[0]
            if what == b'"':
                ends = self._string_end(at, until)
                if ends is None:
                    raise Damaged(looked)
                at = ends
            elif what in (b"{", b"["):
                depth += 1
            elif what in (b"}", b"]"):
                depth -= 1
            if depth <= 0:
                self.at = at
                return

    def _string_end(self, at: int, until: int) -> int | None:
        while True:
            mark = _IN_STRING.search(self.content, at, until)
            if mark is None:
                return None
            if mark[0] == b'"':
                return mark.end()
            at = mark.end() + 1

    def _next_alike(self, begins: int, opening: bytes) -> int:
        """Where the next element begins as this one's neighbours do; else the end of the text."""
        line = self.content.rfind(b"\n", max(0, begins - _LONGEST_MARGIN), begins)
        margin = bytes(self.content[line:begins])
        if line >= 0 and not margin.strip():
            found = self.content.find(margin + b"{", begins + 1)
            return found + len(margin) if found >= 0 else len(self.content)
        if opening:
            alike = re.compile(rb",[ \t\r\n]*+(?=" + re.escape(opening) + b")")
            if next_one := alike.search(self.content, begins + 1):
                return next_one.end()
        return len(self.content)

    def _open(self, bracket: bytes) -> None:
        if self._byte(_SPACE) != bracket:
            raise Damaged
        self.at += 1

    def _byte(self, skipped: re.Pattern[bytes]) -> bytes:
        self.at = self._past(skipped)
        return bytes(self.content[self.at : self.at + 1])

    def _past(self, skipped: re.Pattern[bytes]) -> int:
        found = skipped.match(self.content, self.at)
        return found.end() if found else self.at


@dataclass(slots=True)
class _Search:
    """How much of a list of ``size`` bytes was looked at for its damage, and how far to look."""

    size: int
    looked: int = 0
    longest: int = 0

    def until(self, begins: int) -> int:
        """Where an element that begins there has to end."""
        if self.looked <= _TO_THE_END * self.size:
            return maxsize
        return begins + max(_SHORTEST, _TIMES * self.longest)

    @property
    def is_over(self) -> bool:
        return self.looked > _NEARBY * self.size


def _opening(content: bytes) -> bytes:
    """How an element of a list without line ends begins: with its first key."""
    found = _FIRST_KEY.match(content)
    return found[0] if found else b""
