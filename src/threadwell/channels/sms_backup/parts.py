"""The parts of an MMS: its text, and its files."""

from __future__ import annotations

import binascii
import mimetypes
from typing import NamedTuple

from threadwell.messages import Attachment

_UNKNOWN = "application/octet-stream"
_LAYOUT = "application/smil"
#: IANA MIBenum numbers of the character sets that phones write.
_CHARSETS = {"3": "ascii", "4": "latin-1", "106": "utf-8", "1000": "utf-16", "1015": "utf-16"}


class Parts(NamedTuple):
    """An MMS' text (its text parts, one a line), its other parts, and notes."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


def read_parts(parts: list[dict[str, str]]) -> Parts:
    """What the sender wrote and sent along; the layout of the slides is left out."""
    lines: list[str] = []
    attachments: list[Attachment] = []
    notes: list[str] = []
    for part in sorted(parts, key=_sequence):
        kind = part.get("ct", "").split(";")[0].strip().lower()
        if kind == _LAYOUT:
            continue
        content, note = _content(part)
        if kind == "text/plain":
            lines.append(part["text"] if "text" in part else _decoded(content, part))
        else:
            attachments.append(Attachment(_filename(part, kind), kind or _UNKNOWN, content, note))
        if note:
            notes.append(f"a file of it {note}")
    return Parts("\n".join(line for line in lines if line), tuple(attachments), tuple(notes))


def _sequence(part: dict[str, str]) -> int:
    try:
        return int(part.get("seq", "0"))
    except ValueError:
        return 0


def _content(part: dict[str, str]) -> tuple[bytes | None, str]:
    encoded = part.get("data")
    if encoded is None:
        text = part.get("text")
        return (text.encode(), "") if text is not None else (None, "is not in the backup")
    try:
        # `a2b_base64` passes over line breaks and whatever else is no digit.
        return binascii.a2b_base64(encoded.encode("ascii", "ignore")), ""
    except binascii.Error:
        return None, "is damaged in the backup"


def _decoded(content: bytes | None, part: dict[str, str]) -> str:
    charset = _CHARSETS.get(part.get("chset", ""), "utf-8")
    try:
        return (content or b"").decode(charset)
    except UnicodeError:
        return (content or b"").decode("latin-1")


def _filename(part: dict[str, str], kind: str) -> str:
    named = part.get("fn") or part.get("name") or part.get("cl")
    if named:
        return named
    return f"part-{max(_sequence(part), 0)}{mimetypes.guess_extension(kind) or ''}"
