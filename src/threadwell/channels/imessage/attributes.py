"""Which words of an NSAttributedString are struck, as its typedstream tells behind the text.

The string is followed by runs: the number of a set of attributes, and how many units of UTF-16 have
it. A set stands behind the first run that has it, as a dictionary. Here all of the stream is read,
where ``typedstream.py`` reads the text alone; a stream may be damaged behind its text.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

_STRIKE = b"__kIMTextStrikethroughAttributeName"
_SIGNATURE = b"streamtyped"
_NEW, _NIL, _END = 0x84, 0x85, 0x86
#: A value that does not fit into a byte: what comes first says how it is written.
_WIDE = {0x81: "<h", 0x82: "<i"}
_REAL = 0x83
#: Things that were met before are numbered from here.
_FIRST_NUMBER = -110
_WHOLE, _REALS = b"iIlLqQsS", {b"f": "<f", b"d": "<d"}
_BYTES = re.compile(rb"\[([0-9]{1,9})[cC]\]")
#: No message nests so deep, or has so many runs.
_DEEPEST, _MOST = 32, 20_000


class _NotRead(Exception):
    """The stream is of a kind that is not known."""


@dataclass(slots=True, eq=False)
class _Object:
    values: list[object] = field(default_factory=list)


def struck_in(stream: bytes) -> list[tuple[int, int]]:
    """From where to where the text of a stream is struck, in the units of UTF-16.

    Nothing, where the stream does not say so, or cannot be read.
    """
    if _STRIKE not in stream:
        return []
    try:
        return _runs(_Reader(stream).read())
    except (_NotRead, IndexError, struct.error, RecursionError):
        return []


def _runs(attributed: object) -> list[tuple[int, int]]:
    if not isinstance(attributed, _Object):
        raise _NotRead
    _, *values = attributed.values
    struck: dict[int, bool] = {}
    out: list[tuple[int, int]] = []
    begin = at = 0
    while at + 1 < len(values):
        number, length = values[at], values[at + 1]
        if not isinstance(number, int) or not isinstance(length, int) or length < 0:
            break
        at += 2
        if at < len(values) and isinstance(values[at], _Object):
            struck[number] = _is_struck(values[at])
            at += 1
        if struck.get(number):
            out.append((begin, begin + length))
        begin += length
    return out


def _is_struck(attributes: object) -> bool:
    values = attributes.values if isinstance(attributes, _Object) else []
    pairs = zip(values[1::2], values[2::2], strict=False)
    return any(_first(key) == _STRIKE and _last(value) for key, value in pairs)


def _first(value: object) -> object:
    return value.values[0] if isinstance(value, _Object) and value.values else None


def _last(value: object) -> object:
    return value.values[-1] if isinstance(value, _Object) and value.values else None


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._strings: list[bytes] = []
        self._met: list[object] = []

    def read(self) -> object:
        """The first thing in the stream."""
        self._integer()
        if self._take(self._integer()) != _SIGNATURE:
            raise _NotRead
        self._integer()
        values = self._group(0)
        return values[0] if values else None

    def _group(self, depth: int) -> list[object]:
        types = self._string()
        if _BYTES.fullmatch(types):
            return [self._value(types, depth)]
        return [self._value(types[at : at + 1], depth) for at in range(len(types))]

    def _value(self, type_: bytes, depth: int) -> object:
        if type_ == b"@":
            return self._object(depth + 1)
        if type_ == b"+":
            return self._take(self._integer())
        if type_ in (b"c", b"C", b"B"):
            return self._byte()
        if type_ == b"*":
            return self._c_string()
        if type_ in _REALS:
            if self._content[self._at] != _REAL:
                return self._integer()
            form = _REALS[type_]
            return struct.unpack(form, self._take(1 + struct.calcsize(form))[1:])[0]
        if found := _BYTES.fullmatch(type_):
            return self._take(int(found[1]))
        if type_ and type_ in _WHOLE:
            return self._integer()
        raise _NotRead

    def _object(self, depth: int) -> object:
        mark = self._byte()
        if mark == _NIL:
            return None
        if mark != _NEW:
            return self._again(mark)
        if depth > _DEEPEST or len(self._met) > _MOST:
            raise _NotRead
        made = _Object()
        self._met.append(made)
        self._class()
        while self._content[self._at] != _END:
            made.values += self._group(depth)
        self._at += 1
        return made

    def _class(self) -> None:
        """A class and those above it, of which nothing counts but that they have numbers."""
        while (mark := self._byte()) == _NEW:
            self._string()
            self._integer()
            self._met.append(None)
        if mark != _NIL:
            self._again(mark)

    def _c_string(self) -> object:
        mark = self._byte()
        if mark == _NIL:
            return None
        if mark != _NEW:
            return self._again(mark)
        found = self._string()
        self._met.append(found)
        return found

    def _string(self) -> bytes:
        mark = self._byte()
        if mark == _NEW:
            found = self._take(self._integer())
            self._strings.append(found)
            return found
        number = self._signed(mark) - _FIRST_NUMBER
        if not 0 <= number < len(self._strings):
            raise _NotRead
        return self._strings[number]

    def _again(self, mark: int) -> object:
        number = self._signed(mark) - _FIRST_NUMBER
        if not 0 <= number < len(self._met):
            raise _NotRead
        return self._met[number]

    def _integer(self) -> int:
        return self._signed(self._byte())

    def _signed(self, mark: int) -> int:
        form = _WIDE.get(mark)
        if form is not None:
            found: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
            return found & 0xFFFF if mark == 0x81 and found < _FIRST_NUMBER else found
        if mark in (_REAL, _NEW, _NIL, _END):
            raise _NotRead
        return mark - 0x100 if mark >= 0x80 else mark

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _take(self, length: int) -> bytes:
        found = self._content[self._at : self._at + length]
        if length < 0 or len(found) < length:
            raise _NotRead
        self._at += length
        return found
