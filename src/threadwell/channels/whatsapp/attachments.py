"""The files of a message: which it names, and where they lie beside the export."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from threadwell.channels.links import is_inside
from threadwell.channels.whatsapp.lines import MARKS
from threadwell.channels.whatsapp.placeholders import BEFORE_NAME, CAME_ALONG
from threadwell.messages import Attachment

_TYPES = {
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".heic": "image/heic",
    ".webp": "image/webp",
    ".vcf": "text/vcard",
}
UNKNOWN_TYPE = "application/octet-stream"
_NOT_THERE = "is not beside the export"
_LRM = "\u200e"
_MARKS = re.compile(f"[{MARKS}]")
_IPHONE = re.compile(r"<([^<>:\uff1a\n]{1,40})[:\uff1a][ \u00a0\u202f]?([^<>\n/\\]{1,255})>")
_ENDING = re.compile(r"\.\w{1,8}\Z")
#: How WhatsApp itself names a file.
_NUMBERED = re.compile(r"\d{8}-[A-Z]{3,12}-|(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d{3,6}\.")
_LONGEST_LINE = 600


class Named(NamedTuple):
    """A file that a text names, and where in the text it does."""

    name: str
    start: int
    end: int


def named_file(text: str, folder: Path) -> Named | None:
    """The file that came with a message of that ``text``, if it names one.

    The iPhone writes ``<attached: NAME>``, in brackets, and Android ``NAME (file attached)`` as the
    first line; either in the language of the phone. In a language that is not known, it counts
    where WhatsApp's mark of direction stands before it, where the name is one that WhatsApp gives,
    or where the file lies in ``folder``. No name reaches out of it.
    """
    if "<" in text:
        for match in _IPHONE.finditer(text):
            name = _plain(match[2])
            certain = text[match.start() - 1 : match.start()] == _LRM or (
                _plain(match[1]).lower() in BEFORE_NAME
            )
            if _ENDING.search(name) and (certain or _is_file(name, folder)):
                start = match.start()
                while start and text[start - 1] == _LRM:
                    start -= 1
                return Named(name, start, match.end())
    line = text.partition("\n")[0].rstrip()
    if line.endswith(")") and len(line) < _LONGEST_LINE:
        written, bracket, words = line[:-1].rpartition(" (")
        name = _plain(written)
        if bracket and not re.search(r"[<>/\\]", name) and _ENDING.search(name):
            certain = _plain(words).lower() in CAME_ALONG or text.startswith(_LRM)
            if certain or _is_file(name, folder):
                return Named(name, 0, len(line))
    return None


def opened(name: str, folder: Path) -> Attachment:
    """The file of that name with its content; without, where it is not in ``folder``."""
    kind = _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    path = found(name, folder)
    if path is None:
        return Attachment(name, kind, None, _NOT_THERE)
    return Attachment(name, kind, path.read_bytes())


def found(name: str, folder: Path) -> Path | None:
    """Where the file of that name is, if it is there."""
    # An archive made on macOS writes names decomposed.
    for form in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
        try:
            path = folder / form
            if path.is_file() and is_inside(path, folder):
                return path
        except (OSError, ValueError):  # a name that no file can have
            return None
    return None


def _is_file(name: str, folder: Path) -> bool:
    return _NUMBERED.match(name) is not None or found(name, folder) is not None


def _plain(name: str) -> str:
    return _MARKS.sub("", name).strip()
