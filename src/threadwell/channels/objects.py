"""The JSON objects of a file that lists records, one after the other and in constant memory.

Programs keep what an API answers in many ways: an object a line, an array of objects, the pages of
a list as they came (``{"messages": […]}``), one or several in a file. What is cut off or damaged
costs the objects that it touches, and where each object has its line, no other.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec

from threadwell.channels.halves import without_halves
from threadwell.channels.text import encoding_of, text_head

#: An object is longer, or it is none.
LONGEST = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
#: A text whole or as far as it goes; what opens and closes.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|[{}\[\]]', re.DOTALL)
_OPEN = (b"{", b"[")


class Piece(NamedTuple):
    """The bytes of an object, and at which byte they begin; ``whole`` if it has an end."""

    offset: int
    content: bytes
    whole: bool = True


class Decoded(NamedTuple):
    """What an object holds; ``halves`` if parts of characters had to be replaced."""

    value: dict[str, Any]
    halves: bool = False


def read_objects(path: Path, lists: Collection[str]) -> Iterator[Piece]:
    """Every object of a file; those in a list of an object that is called as ``lists`` has it."""
    names = frozenset(f'"{name}"'.encode() for name in lists)
    with path.open("rb") as raw:
        file = _in_utf8(raw)
        first = file.readline(_CHUNK)
        if _is_line(first):
            offset = 0
            for line in _chained(first, file):
                for piece in _Scan(names).objects([line]):
                    yield piece._replace(offset=piece.offset + offset)
                offset += len(line)
        else:
            yield from _Scan(names).objects(_chained(first, iter(lambda: file.read(_CHUNK), b"")))


def decode_object(content: bytes) -> Decoded | None:
    """The object that the bytes are; ``None`` if they are none."""
    try:
        return Decoded(_decode(content))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        whole = without_halves(content)
        if whole == content:
            return None
    except RecursionError:
        return None
    try:
        return Decoded(_decode(whole), halves=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def json_head(head: bytes) -> str:
    """The beginning of a file as text, ``""`` where no object or array begins there."""
    text = text_head(head).lstrip("\ufeff").lstrip()
    return text if text.startswith(("{", "[")) else ""


def _decode(content: bytes) -> dict[str, Any]:
    return msgspec.json.decode(content, type=dict[str, Any])


def _in_utf8(file: BinaryIO) -> BinaryIO:
    """``file`` read as UTF-8 without its mark: a shell may have written UTF-16."""
    encoding = encoding_of(file.read(4))
    file.seek(len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
    if encoding != "utf-16":
        return file
    return cast(BinaryIO, codecs.EncodedFile(file, "utf-8", encoding, "replace"))


def _is_line(line: bytes) -> bool:
    bare = line.strip()
    return bare.startswith(b"{") and bare.endswith(b"}") and line.endswith(b"\n")


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


class _Scan:
    """Finds the objects in a stream of bytes.

    ``_depth`` counts what is open within the object at hand, which begins at ``_begin`` of the
    buffer; -1 is between objects. ``_around`` are the lists (``[``) and pages (``{``) that it is
    in. What else a page has is ``_aside``: no object of the file.
    """

    def __init__(self, lists: frozenset[bytes]) -> None:
        self._lists = lists
        self._buffer = b""
        self._gone = self._begin = self._at = 0
        self._depth = -1
        self._around: list[bytes] = []
        self._aside = False
        self._last = b""

    def objects(self, chunks: Iterable[bytes]) -> Iterator[Piece]:
        """Every object; the last one is not whole if the stream breaks off in it."""
        coming: list[bytes] = []
        wanted = size = 0
        for chunk in chunks:
            coming.append(chunk)
            size += len(chunk)
            # A text without an end is looked at again only once there is twice as much of it.
            if size >= wanted:
                yield from self._take(coming)
                left = len(self._buffer)
                if left > LONGEST:
                    break
                coming, size, wanted = [], 0, left
        if coming:
            yield from self._take(coming)
        if self._depth >= 0:
            yield Piece(self._gone + self._begin, self._buffer[self._begin :], whole=False)

    def _take(self, coming: list[bytes]) -> Iterator[Piece]:
        self._buffer = buffer = b"".join([self._buffer, *coming])
        for token in _TOKEN.finditer(buffer, self._at):
            text = token[0]
            if text[:1] == b'"':
                if not token[1]:
                    self._at = token.start()
                    break
                self._last = text
            elif text in _OPEN:
                self._open(text, token.start())
            elif self._close():
                yield Piece(self._gone + self._begin, buffer[self._begin : token.end()])
            self._at = token.end()
        else:
            self._at = len(buffer)
        self._let_go()

    def _open(self, text: bytes, at: int) -> None:
        is_list = text == b"[" and self._last in self._lists
        if self._depth > 0 or (self._depth == 0 and (self._aside or not is_list)):
            self._depth += 1
        elif self._depth == 0:
            self._depth = -1
            self._around += [b"{", text]
        elif text == b"{" or (self._in_page and not is_list):
            self._begin, self._depth, self._aside = at, 0, self._in_page
        else:
            self._around.append(text)

    def _close(self) -> bool:
        """Whether an object of the file has its end here."""
        if self._depth >= 0:
            self._depth -= 1
            return self._depth < 0 and not self._aside
        if self._around:
            self._around.pop()
        return False

    @property
    def _in_page(self) -> bool:
        return self._around[-1:] == [b"{"]

    def _let_go(self) -> None:
        """Forget what is done with."""
        done = self._begin if self._depth >= 0 else self._at
        self._buffer = self._buffer[done:]
        self._gone += done
        self._begin -= done
        self._at -= done
