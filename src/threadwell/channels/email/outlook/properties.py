"""The properties of one object of a ``.msg`` file (MS-OXMSG §2.4), as they are stored."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from threadwell.channels.email.outlook import codepages

#: Types of values (MS-OXCDATA §2.11.1).
_INTEGER, _STRING8, _UNICODE, _TIME, _BINARY = 0x0003, 0x001E, 0x001F, 0x0040, 0x0102
#: One entry of the stream of fixed values: type, id, flags, value.
_ENTRY = struct.Struct("<HHI8s")
_MESSAGE_CODE_PAGE = 0x3FFD
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
#: Later than the year 9999 ends.
_END = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) * 10


@dataclass(frozen=True, slots=True)
class Properties:
    """Values by the id and the type of their property.

    ``fixed`` has the eight bytes of each value that is no longer than that, ``stored`` the longer
    ones. ``code_page`` is what texts are in that are not Unicode, ``0`` where none is named.
    """

    fixed: Mapping[tuple[int, int], bytes]
    stored: Mapping[tuple[int, int], bytes]
    code_page: int = 0

    def text(self, *ids: int) -> str:
        """The first of these properties that is a text and not empty; else ``""``."""
        for id_ in ids:
            value = ""
            if (content := self.stored.get((id_, _UNICODE))) is not None:
                value = content.decode("utf-16-le", "replace")
            elif (content := self.stored.get((id_, _STRING8))) is not None:
                value = codepages.decode(content, self.code_page)
            if value := value.rstrip("\0"):
                return value
        return ""

    def content(self, id_: int) -> bytes | None:
        """A value of bytes; ``None`` where there is none."""
        return self.stored.get((id_, _BINARY))

    def integer(self, id_: int) -> int:
        """A number, ``0`` where there is none."""
        value = self.fixed.get((id_, _INTEGER))
        return int.from_bytes(value[:4], "little") if value else 0

    def time(self, *ids: int) -> datetime | None:
        """The first of these properties that is a time: 100 ns since 1601, in UTC."""
        for id_ in ids:
            value = self.fixed.get((id_, _TIME))
            count = int.from_bytes(value, "little") if value else 0
            if 0 < count < _END:
                return _EPOCH + timedelta(microseconds=count // 10)
        return None


def read_properties(
    stream: bytes, header: int, stored: Mapping[tuple[int, int], bytes], code_page: int = 0
) -> Properties:
    """The properties of an object out of its ``__properties_version1.0``.

    ``header`` is how many bytes stand before the first entry, ``code_page`` that of the item which
    the object belongs to.
    """
    whole = header + max(len(stream) - header, 0) // _ENTRY.size * _ENTRY.size
    fixed = {
        (id_, type_): value for type_, id_, _, value in _ENTRY.iter_unpack(stream[header:whole])
    }
    own = fixed.get((_MESSAGE_CODE_PAGE, _INTEGER))
    page = int.from_bytes(own[:4], "little") if own else code_page
    return Properties(fixed, stored, page)
