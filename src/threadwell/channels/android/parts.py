"""The parts of an MMS: its text, and its files."""

from __future__ import annotations

import binascii
import mimetypes
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from threadwell.messages import Attachment, media_type_of
from threadwell.messages.media_type import OCTETS

_LAYOUT = "application/smil"
_TEXT = "text/plain"
NOT_THERE = "is not in the backup"
DAMAGED = "is damaged in the backup"
#: What a slide shows or plays.
_SHOWN = ("img", "video", "audio", "ref")
#: IANA MIBenum numbers of the character sets that phones write.
_CHARSETS = {"3": "ascii", "4": "latin-1", "106": "utf-8", "1000": "utf-16", "1015": "utf-16"}


class Parts(NamedTuple):
    """An MMS' text (its text parts, one a line), its other parts, and notes."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


#: The bytes of a part, or ``None``, and what is to be said of it (``Attachment.note``).
Content: TypeAlias = tuple[bytes | None, str]


def read_parts(
    parts: list[dict[str, str]], content_of: Callable[[dict[str, str]], Content] | None = None
) -> Parts:
    """What the sender wrote and sent along; the layout of the slides is left out.

    It still tells of files that the backup was made without. The bytes of a part are in its
    ``data``, unless ``content_of`` has them from elsewhere.
    """
    load = content_of or _content
    lines: list[str] = []
    attachments: list[Attachment] = []
    notes: list[str] = []
    shown: list[str] = []
    for part in sorted(parts, key=_sequence):
        # What has a text and names no type was never a file.
        untyped = part.get("ct", "") in ("", "null") and "text" in part
        kind = _TEXT if untyped else media_type_of(part.get("ct", ""))
        bare = kind.partition(";")[0]
        if bare == _LAYOUT:
            shown += _shown(part.get("text", ""))
            continue
        content, note = load(part)
        if bare == _TEXT:
            if content is None and not note.startswith("is damaged"):
                notes.append("a part of its text is not in the backup, or was the word null")
            elif note:
                notes.append(f"a part of its text {note}")
            lines.append(part["text"] if "text" in part else _decoded(content, part))
        else:
            attachments.append(Attachment(_filename(part, bare), kind, content, note))
    attachments += _left_out(parts, attachments, shown, lines)
    notes += [f"a file of it {one.note}" for one in attachments if one.note]
    return Parts("\n".join(line for line in lines if line), tuple(attachments), tuple(notes))


def _left_out(
    parts: list[dict[str, str]],
    attachments: list[Attachment],
    shown: list[str],
    lines: list[str],
) -> list[Attachment]:
    """The files that the layout shows and no part holds.

    A message of nothing but a layout had one, even where that does not say which.
    """
    there = {
        name for part in parts for key in ("cl", "name", "fn", "cid") if (name := part.get(key))
    }
    there = {name.strip("<>") for name in there}
    missing = [name for name in shown if name.removeprefix("cid:").strip("<>") not in there]
    missing = missing[: max(0, len(shown) - len(attachments))]
    if parts and not (missing or attachments or any(lines)):
        missing = ["file"]
    return [
        Attachment(name, mimetypes.guess_type(name)[0] or OCTETS, None, NOT_THERE)
        for name in missing
    ]


def _shown(layout: str) -> list[str]:
    """The files that the slides of a layout (SMIL) show, in their order."""
    names: dict[str, None] = {}
    for tag in layout.split("<")[1:]:
        element, _, rest = tag.partition(">")[0].partition(" ")
        if element.lower() in _SHOWN:
            _, source, value = rest.partition("src=")
            quote = value[:1]
            if source and quote in ('"', "'") and (name := value[1:].partition(quote)[0].strip()):
                names[name] = None
    return list(names)


def _sequence(part: dict[str, str]) -> int:
    try:
        return int(part.get("seq", "0"))
    except ValueError:
        return 0


def decoded_base64(encoded: str) -> Content:
    """The bytes that a backup holds within itself."""
    try:
        # `a2b_base64` passes over line breaks and whatever else is no digit.
        return binascii.a2b_base64(encoded.encode("ascii", "ignore")), ""
    except binascii.Error:
        return None, DAMAGED


def _content(part: dict[str, str]) -> Content:
    if encoded := part.get("data"):
        return decoded_base64(encoded)
    text = part.get("text")
    return (text.encode(), "") if text is not None else (None, NOT_THERE)


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
