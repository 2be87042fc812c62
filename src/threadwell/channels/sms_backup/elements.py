"""Cuts a backup into its messages, and parses each for itself.

A backup may be many gigabytes, and one spoilt character must not cost what follows it. So the
stream is cut before every ``<sms`` and ``<mms``, which no attribute can hold (``<`` is escaped
there), and each piece goes through a parser of its own. One piece is in memory at a time. No
piece can declare an entity, so none can expand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from threadwell.channels.sms_backup.repair import repair

_START = re.compile(rb"<(?:[sm]ms[\s/>]|/smses\b)")
#: What a file ends in that breaks off within such an opening.
_TORN = re.compile(rb"<(?:/?|[sm]m?s?|/s(?:m(?:se?)?)?)\Z")
_READ_BYTES = 1 << 18

#: A piece without an end is handed over once it is this long, so that memory stays bounded.
LONGEST_PIECE = 256 * 1024 * 1024

#: The names of elements and attributes, so that a parser does not make those again that the one
#: before it has made. An honest file has some forty.
_NAMES: dict[str, str] = {}
_MOST_NAMES = 1000


class Piece(NamedTuple):
    """The bytes of one message and where in the file they begin."""

    offset: int
    content: bytes


@dataclass(slots=True)
class Element:
    """An ``<sms>`` or ``<mms>``: its attributes, and those of its parts and addresses.

    An attribute that the app wrote as ``null`` is not there. ``repaired`` tells that characters
    were lost to the repair.
    """

    name: str
    attributes: dict[str, str]
    parts: list[dict[str, str]] = field(default_factory=list)
    addresses: list[dict[str, str]] = field(default_factory=list)
    repaired: bool = False


def split(file: BinaryIO) -> Iterator[Piece]:
    """The pieces of a backup in order; the first is what stands before the first message.

    The last one begins with ``</smses`` where the file is whole.
    """
    buffer, offset, searched = bytearray(), 0, 0
    while chunk := file.read(_READ_BYTES):
        buffer += chunk
        start = 0
        for end in [match.start() for match in _START.finditer(buffer, searched)]:
            yield Piece(offset + start, bytes(buffer[start:end]))
            start = end
        del buffer[:start]
        offset += start
        # An opening that the chunk's end cuts in two is found once the rest is there.
        searched = max(1, len(buffer) - len("</smses"))
        if len(buffer) > LONGEST_PIECE:
            yield Piece(offset, bytes(buffer))
            offset += len(buffer)
            buffer, searched = bytearray(), 0
    torn = _TORN.search(buffer, searched)
    end = torn.start() if torn and torn.start() else len(buffer)
    yield Piece(offset, bytes(buffer[:end]))
    if end < len(buffer):
        yield Piece(offset + end, bytes(buffer[end:]))


def parse_element(content: bytes) -> Element | None:
    """The message that a piece holds; ``None`` if it is not whole or not XML."""
    element = _parse(content)
    if element is not None:
        return element
    repaired = repair(content)
    element = _parse(repaired.content)
    if element is not None:
        element.repaired = repaired.lossy
    return element


def _parse(content: bytes) -> Element | None:
    found: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if "null" in attributes.values():
            attributes = {key: value for key, value in attributes.items() if value != "null"}
        if name == "part":
            found[0].parts.append(attributes)
        elif name == "addr":
            found[0].addresses.append(attributes)
        elif not found:
            found.append(Element(name, attributes))

    if len(_NAMES) > _MOST_NAMES:
        _NAMES.clear()
    parser = expat.ParserCreate("utf-8", intern=_NAMES)
    parser.StartElementHandler = start
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        return None
    return found[0]
