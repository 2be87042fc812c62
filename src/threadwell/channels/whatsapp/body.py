"""The rest of a message after its header: who wrote it, what, and which files came along."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.whatsapp.lines import MARKS
from threadwell.channels.whatsapp.phrases import ATTACHED, DELETED, EDITED, OMITTED, PAGES, SYSTEM
from threadwell.messages import Attachment

_TYPES = {
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".heic": "image/heic",
    ".webp": "image/webp",
    ".vcf": "text/vcard",
}
_UNKNOWN_TYPE = "application/octet-stream"
_BLANKS = "\u200e\u200f \t\r\n\u00a0\u202f"
_CLOSE_COLON = re.compile(r"([^:\n]{1,60}):(?=\S)")
_LEFT_OUT = "was left out of the export"
_NOT_THERE = "is not beside the export"


class Named(NamedTuple):
    """A message's text and the name that stands before it."""

    name: str
    text: str


class Body(NamedTuple):
    """What a message says: its text without placeholders, its files, and notes."""

    text: str
    attachments: tuple[Attachment, ...]
    notes: tuple[str, ...]


def split_name(rest: str) -> Named | None:
    """Who wrote what; ``None`` for a line that WhatsApp wrote about the chat."""
    name, colon, text = rest.partition(": ")
    if not colon:
        close = _CLOSE_COLON.match(rest)
        if close is not None:
            name, text = close[1], rest[close.end() :]
        elif rest.rstrip().endswith(":"):
            name, text = rest.rstrip()[:-1], ""
        else:
            return None
    if SYSTEM.search(name) or (text.startswith("\u200e") and SYSTEM.search(text)):
        return None
    return Named(_plain_name(name), text)


def read_body(text: str, folder: Path) -> Body:
    """The content of a message; files are looked for in ``folder``, beside the export."""
    notes: list[str] = []
    attachments = [_open(_filename(match), folder) for match in ATTACHED.finditer(text)]
    text = ATTACHED.sub("", text)
    if attachments:
        text = PAGES.sub("", text)
    for match in OMITTED.finditer(text):
        kind = (match["kind"] or "file").lower()
        attachments.append(Attachment(kind, _UNKNOWN_TYPE, None, _LEFT_OUT))
    text, edits = EDITED.subn("", OMITTED.sub("", text))
    if edits:
        notes.append("edited by its sender; the first wording is not in the export")
    text = text.strip(_BLANKS)
    if DELETED.fullmatch(text):
        notes.append("deleted by its sender; its words are not in the export")
    if text == "null" and not attachments:
        # A file that could be viewed only once.
        text, attachments = "", [Attachment("file", _UNKNOWN_TYPE, None, _LEFT_OUT)]
    if "\ufffd" in text:
        notes.append("some characters are not readable in the export")
    notes.extend(f"a file of it {one.note}" for one in attachments if one.note)
    return Body(text, tuple(attachments), tuple(notes))


def attached_files(text: str, folder: Path) -> list[Path]:
    """The files in ``folder`` that ``text`` names as attachments."""
    found = (_find(_filename(match), folder) for match in ATTACHED.finditer(text))
    return [path for path in found if path is not None]


def _plain_name(name: str) -> str:
    bare = re.sub(f"[{MARKS}]", "", name).replace("\u202f", " ").replace("\u00a0", " ")
    return unicodedata.normalize("NFC", bare.strip())


def _filename(match: re.Match[str]) -> str:
    named: str = match["ios"] or match["android"]
    return re.sub(f"[{MARKS}]", "", named).strip()


def _open(name: str, folder: Path) -> Attachment:
    kind = _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or _UNKNOWN_TYPE
    path = _find(name, folder)
    if path is None:
        return Attachment(name, kind, None, _NOT_THERE)
    return Attachment(name, kind, path.read_bytes())


def _find(name: str, folder: Path) -> Path | None:
    # An archive made on macOS writes names decomposed.
    for form in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
        if (folder / form).is_file():
            return folder / form
    return None
