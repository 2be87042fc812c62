"""The lines of an export: each is one frame of Signal's backup, as JSON of protobuf.

Such JSON has numbers of 64 bits as texts and bytes as base64; a program between may have written
them otherwise. Members that hold nothing are not there.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from threadwell.channels.json_text import decoded

Values: TypeAlias = dict[str, Any]

#: What a line may hold, beside the first, which tells about the export.
FRAMES = frozenset(
    (
        *("account", "recipient", "chat", "chatItem", "stickerPack"),
        *("adHocCall", "notificationProfile", "chatFolder"),
    )
)
_INFO = "backupTimeMs"
#: A line is longer, or it is none: not more of it is read at once.
_LONGEST = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_ACI_BYTES = 16


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            line = line.removeprefix(_BOM) if number == 1 else line
            if line.strip():
                yield number, line


def parse_frame(line: bytes) -> Values | None:
    """The frame of a line; ``None`` if it is none."""
    try:
        found = decoded(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_export(head: str) -> bool:
    """Whether a file that begins so is an export: its lines hold frames, with what they need."""
    whole = [line for line in head.split("\n")[:50] if line.rstrip().endswith("}")]
    return any(map(_is_frame, filter(None, map(parse_frame, (one.encode() for one in whole)))))


def values(holder: Values, name: str) -> Values:
    """A member that holds members; empty where there is none."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def listed(holder: Values, name: str) -> list[Values]:
    """The members of a list that hold members."""
    found = holder.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(holder: Values, name: str) -> str:
    """A text; ``""`` where there is none."""
    found = holder.get(name)
    return found if isinstance(found, str) else ""


def number(holder: Values, name: str) -> int:
    """A number, also one that is written as a text; 0 where there is none."""
    found = holder.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def name_of(holder: Values, name: str) -> str:
    """The number by which a frame names another one, as text: it may be written as either."""
    found = holder.get(name)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def raw(holder: Values, name: str) -> bytes:
    """Bytes; none where there are none."""
    try:
        return base64.b64decode(text(holder, name), validate=True)
    except (binascii.Error, ValueError):
        return b""


def aci_of(holder: Values, name: str) -> str:
    """The id of an account as a UUID, whether it is written as that or as its bytes."""
    written = text(holder, name)
    try:
        return str(UUID(written))
    except ValueError:
        found = raw(holder, name)
        return str(UUID(bytes=found)) if len(found) == _ACI_BYTES else ""


def _is_frame(found: Values) -> bool:
    if _INFO in found:
        return "version" in found
    if len(found) != 1 or not FRAMES.issuperset(found):
        return False
    item = values(found, "chatItem")
    recipient = values(found, "recipient")
    return {"chatId", "authorId", "dateSent"} <= item.keys() or (
        "id" in recipient and not recipient.keys().isdisjoint({"contact", "group", "self"})
    )
