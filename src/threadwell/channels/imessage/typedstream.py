"""The text in a NeXT *typedstream* of an NSAttributedString, in which Apple keeps most messages.

A stream is a version, a signature and groups of values, each group after its types. What comes
again is written once and then named by its number: strings in one table, objects and their classes
in another. The text is the first value of the first object that is a string; of the
rest, ``attributes.py`` reads which words are struck.
"""

from __future__ import annotations

_SIGNATURE = b"streamtyped"
_NEW, _NIL, _END = 0x84, 0x85, 0x86
_FIRST_NUMBER = 0x92
#: An integer that does not fit into a byte has its width before it.
_WIDTHS = {0x81: 2, 0x82: 4}
_STRINGS = (b"NSString", b"NSMutableString")
_BYTES = b"+"
#: No class has so many above it.
_DEEPEST = 16


class _NotRead(Exception):
    """The stream is none, or of a kind that is not known."""


def text_in(stream: bytes) -> str | None:
    """The text that is in a stream; ``None`` if it is cut off, or no such stream."""
    try:
        return _Stream(stream).text()
    except (_NotRead, IndexError):
        return None


class _Stream:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._strings: list[bytes] = []

    def text(self) -> str:
        self._integer()
        if self._take(self._integer()) != _SIGNATURE:
            raise _NotRead
        self._integer()
        # From one object to the first that it holds, down to the string.
        for _ in range(_DEEPEST):
            if self._string() != b"@":
                raise _NotRead
            if self._byte() != _NEW:
                raise _NotRead
            if self._class() in _STRINGS:
                if self._string() != _BYTES:
                    raise _NotRead
                return self._take(self._integer()).decode("utf-8", "replace")
        raise _NotRead

    def _class(self) -> bytes:
        """The name of a class; those above it follow it, and are passed over."""
        names: list[bytes] = []
        for _ in range(_DEEPEST):
            mark = self._byte()
            if mark == _NIL or mark >= _FIRST_NUMBER:
                break
            if mark != _NEW:
                raise _NotRead
            names.append(self._string())
            self._integer()
        if not names:
            raise _NotRead
        return names[0]

    def _string(self) -> bytes:
        mark = self._byte()
        if mark == _NEW:
            found = self._take(self._integer())
            self._strings.append(found)
            return found
        if mark >= _FIRST_NUMBER:
            return self._strings[mark - _FIRST_NUMBER]
        raise _NotRead

    def _integer(self) -> int:
        mark = self._byte()
        width = _WIDTHS.get(mark)
        if width is not None:
            return int.from_bytes(self._take(width), "little")
        if mark >= 0x80:
            raise _NotRead
        return mark

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _take(self, length: int) -> bytes:
        found = self._content[self._at : self._at + length]
        if len(found) < length:
            raise _NotRead
        self._at += length
        return found
