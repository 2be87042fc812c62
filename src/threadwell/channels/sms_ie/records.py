"""The records of an export, one at a time: a JSON object a line, or, of old, one long array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from threadwell.channels.objects import decode_object, read_objects

#: What the app adds to Android's columns. Versions before 2 wrote it without the line before it.
_OWN = ("display_name", "sender_address", "recipient_addresses", "parts")
_BOM = b"\xef\xbb\xbf"
#: A line is longer, or it is none: not more of it is read at once.
_LONGEST = 64 * 1024 * 1024


@dataclass(slots=True)
class Record:
    """A message as the phone keeps it: its columns, its parts, and who is at its ends.

    ``mms`` tells the two kinds apart. ``damaged`` says that parts of characters were replaced.
    """

    columns: dict[str, str]
    sender: dict[str, str] = field(default_factory=dict)
    recipients: list[dict[str, str]] = field(default_factory=list)
    parts: list[dict[str, str]] = field(default_factory=list)
    damaged: bool = False

    @property
    def mms(self) -> bool:
        """Only an MMS lies in a box of that name."""
        return "msg_box" in self.columns


def read_records(path: Path, having: bytes = b"") -> Iterator[tuple[bytes, Record | None]]:
    """The bytes of every record, and what it holds; ``None`` where that cannot be read.

    Of those without the bytes ``having`` nothing is read, nor told.
    """
    with path.open("rb") as file:
        first = file.read(64).removeprefix(_BOM).lstrip()[:1]
    if first == b"{":
        for line in _lines(path):
            if having in line:
                yield line, parse_record(line)
    else:
        for piece in read_objects(path, ()):
            if having in piece.content:
                yield piece.content, parse_record(piece.content) if piece.whole else None


def parse_record(content: bytes) -> Record | None:
    """The record that is a JSON object; ``None`` where it is none."""
    decoded = decode_object(content)
    if decoded is None:
        return None
    value = decoded.value
    added = {name: value.get(f"__{name}", value.get(name)) for name in _OWN}
    columns = _texts(value)
    if isinstance(name := added["display_name"], str):
        columns["__display_name"] = name
    return Record(
        columns,
        _texts(added["sender_address"]),
        _listed(added["recipient_addresses"]),
        _listed(added["parts"]),
        decoded.halves,
    )


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        start = True
        while line := file.readline(_LONGEST):
            if start:
                line, start = line.removeprefix(_BOM), False
            if line.strip():
                yield line


def _texts(value: Any) -> dict[str, str]:
    """The columns of a row: all are texts, but for what a tool may have made a number of."""
    if not isinstance(value, dict):
        return {}
    return {
        key: one if isinstance(one, str) else str(one)
        for key, one in value.items()
        if isinstance(one, str | int) and not isinstance(one, bool)
    }


def _listed(value: Any) -> list[dict[str, str]]:
    return (
        [_texts(one) for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    )
