"""Properties in a row, as a parcel of Outlook has them (MS-OXTNEF §2.1.3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from threadwell.channels.email.outlook.properties import Properties

_STRING8, _UNICODE, _OBJECT, _BINARY = 0x001E, 0x001F, 0x000D, 0x0102
_OF_ANY_LENGTH = frozenset((_STRING8, _UNICODE, _OBJECT, _BINARY))
#: A property with several values has a type with this bit.
_SEVERAL = 0x1000
#: How many bytes the values have that are always as long (MS-OXCDATA §2.11.1).
_FIXED = {
    **dict.fromkeys((0x0002, 0x000B), 2),
    **dict.fromkeys((0x0003, 0x0004, 0x000A), 4),
    **dict.fromkeys((0x0005, 0x0006, 0x0007, 0x0014, 0x0040), 8),
    0x0048: 16,
}
#: From this id on a property has a name: a set, and a number or a text in it.
_NAMED, _SET = 0x8000, 16
_ATTACHED = 0x3701


class _Cut(Exception):
    """The row ends too soon, or goes on with something that is no property."""


@dataclass(slots=True)
class Values:
    """Values by the id and type of their property; ``object`` is an item or file as an object."""

    fixed: dict[tuple[int, int], bytes] = field(default_factory=dict)
    stored: dict[tuple[int, int], bytes] = field(default_factory=dict)
    object: memoryview | None = None

    def as_properties(self, code_page: int) -> Properties:
        """The same as properties of an item; ``code_page`` is what its plain texts are in."""
        return Properties(self.fixed, self.stored, code_page)


def read_values(content: memoryview, into: Values) -> bool:
    """Add the properties of a row; whether it could be read to its end."""
    row = _Row(content)
    try:
        for _ in range(row.number()):
            _read(row, into)
    except _Cut:
        return False
    return True


@dataclass(slots=True)
class _Row:
    content: memoryview
    at: int = 0

    def take(self, size: int) -> memoryview:
        """The next bytes, and those behind them that fill up four."""
        end = self.at + size
        if end > len(self.content):
            raise _Cut
        taken = self.content[self.at : end]
        self.at = end + -size % 4
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")


def _read(row: _Row, into: Values) -> None:
    head = row.number()
    type_, id_ = head & 0xFFFF, head >> 16
    named = id_ >= _NAMED
    if named:
        row.take(_SET)
        kind = row.number()
        row.take(row.number() if kind else 4)
    single = type_ & ~_SEVERAL
    if single not in _FIXED and single not in _OF_ANY_LENGTH:
        raise _Cut
    several = bool(type_ & _SEVERAL)
    count = row.number() if several or single in _OF_ANY_LENGTH else 1
    for number in range(count):
        value = row.take(row.number() if single in _OF_ANY_LENGTH else _FIXED[single])
        if named or several or number:
            continue
        if single == _OBJECT:
            if id_ == _ATTACHED:
                into.object = value
        elif single in _OF_ANY_LENGTH:
            into.stored[id_, single] = bytes(value)
        else:
            into.fixed[id_, single] = bytes(value).ljust(8, b"\0")
