"""The name of a chat. Only the name of its file, or of the folder around it, tells it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

#: What stands between WhatsApp's own words and the name, in the languages of its file names.
_BEFORE_NAME = (
    *(" with ", " mit ", " avec ", " con ", " com ", " met ", " med ", " z ", " ze "),
    *(" s uživatelem ", " s uživateľom ", " s ", " с контактом ", " с ", " з контактом ", " з "),
    *(" ile ", " dengan ", " cu ", " עם ", " مع ", " - ", " \u2013 "),
)
_APP = "whatsapp"
#: How a second copy of a file is called, by browsers and systems in several languages.
_COPY = re.compile(
    r"(?:\s?\(\d{1,3}\)|(?:\s[-\u2013]\s?|\s|_|-)(?:copy|copie|kopie|kopia|copia|cópia|kopi|копия)"
    r"(?:\s\d{1,3})?)\Z",
    re.IGNORECASE,
)
_COPY_OF = re.compile(
    r"(?:copy of|copia de|copie de|cópia de|copia di|kopie van|kopie von|kopia) (?=\S)",
    re.IGNORECASE,
)
#: macOS and iOS number copies so, and people their groups: only a look at both files tells.
_NUMBERED = re.compile(r" \d{1,3}\Z")
_SEEN_BYTES = 512


class ChatName(NamedTuple):
    """What the file calls the chat; ``certain`` where the name is as WhatsApp makes it."""

    name: str
    certain: bool


def chat_name(path: Path) -> ChatName:
    """The chat that the export at ``path`` is of; a copy of the file has the same name."""
    in_folder = _NUMBERED.sub("", _without_copy(path.stem)) == "_chat"
    called = path.parent if in_folder else path
    stem = unicodedata.normalize("NFC", called.name if in_folder else called.stem)
    stem = _without_copy(stem)
    if numbered := _NUMBERED.search(stem):
        first = stem[: numbered.start()]
        other = called.with_name(first) / path.name if in_folder else path.with_stem(first)
        if _begin_alike(path, other):
            stem = first
    return _named(stem)


def _without_copy(stem: str) -> str:
    stem = _COPY_OF.sub("", stem, count=1) if _COPY_OF.match(stem) else stem
    while (shorter := _COPY.sub("", stem)) and shorter != stem:
        stem = shorter
    return stem


def _named(stem: str) -> ChatName:
    at = stem.lower().find(_APP)
    if at >= 0:
        rest = stem[at + len(_APP) :]
        places = [(place, word) for word in _BEFORE_NAME if (place := rest.lower().find(word)) >= 0]
        if places:
            place, word = min(places, key=lambda found: (found[0], -len(found[1])))
            name = rest[place + len(word) :].strip()
            if name:
                return ChatName(name, True)
    return ChatName(stem.strip(), False)


def _begin_alike(path: Path, other: Path) -> bool:
    try:
        with path.open("rb") as one, other.open("rb") as two:
            return one.read(_SEEN_BYTES) == two.read(_SEEN_BYTES)
    except OSError:
        return False
