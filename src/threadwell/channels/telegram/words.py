"""What a record says, and the files that came with it."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from threadwell.channels.links import is_inside
from threadwell.messages import OCTETS, Attachment, looks, media_type_of

#: The keys under which a record has a file, and what it is where nothing says so.
FILES = {"photo": "image/jpeg", "file": ""}
_KINDS = {
    "sticker": "image/webp",
    "voice_message": "audio/ogg",
    "video_message": "video/mp4",
    "video_file": "video/mp4",
    "animation": "video/mp4",
    "audio_file": "audio/mpeg",
}
#: How the sentences begin that stand in the place of a file which was not exported.
_WHY = (
    ("(file not included", "was left out of the export"),
    ("(file exceeds", "was too large for the export"),
    ("(file unavailable", "could not be fetched for the export"),
)
_NOT_THERE = "is not beside the export"


class Words(NamedTuple):
    """``text`` is what a reader saw; ``raw`` is the part of it that stays the same."""

    text: str
    raw: str
    notes: tuple[str, ...] = ()


def read_words(record: Mapping[str, Any]) -> Words:
    """The words of a record: its text, else what was sent in the place of one."""
    plain = _joined(record.get("text"), links=False) or _joined(record.get("text_entities"))
    raw = looks.without_marks(plain)
    parts, notes = [_joined(record.get("text"), links=True) or plain], []
    for part, note in (_contact(record), _place(record), _poll(record)):
        parts.append(part)
        notes.append(note)
    if not any(parts) and isinstance(record.get("sticker_emoji"), str):
        parts.append(str(record["sticker_emoji"]))
    text = "\n".join(filter(None, (part.strip() for part in parts)))
    text, of_looks = looks.told(text)
    return Words(text, raw.strip(), (*filter(None, notes), *of_looks))


def read_files(record: Mapping[str, Any], folder: Path) -> tuple[Attachment, ...]:
    """The files of a record, with their content if they lie below ``folder``."""
    out = []
    for key, usual in FILES.items():
        path = record.get(key)
        if isinstance(path, str) and path:
            stated = record.get("mime_type") if key == "file" else usual
            kind = _KINDS.get(str(record.get("media_type")), "")
            name = record.get("file_name") if key == "file" else None
            out.append(_file(path, str(stated or kind or ""), name, key, folder))
    return tuple(out)


def found(path: str, folder: Path) -> Path | None:
    """Where a file that a record names is, if it is there; never outside of ``folder``."""
    try:
        file = folder / path
        return file if file.is_file() and is_inside(file, folder) else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def _file(path: str, type_: str, name: object, key: str, folder: Path) -> Attachment:
    called = name if isinstance(name, str) and name else path.rpartition("/")[2]
    if path.startswith("("):
        why = next((why for begins, why in _WHY if path.lower().startswith(begins)), _NOT_THERE)
        return Attachment(str(name or key), media_type_of(type_ or OCTETS), None, why)
    kind = media_type_of(type_ or mimetypes.guess_type(called)[0] or OCTETS)
    file = found(path, folder)
    if file is None:
        return Attachment(called, kind, None, _NOT_THERE)
    return Attachment(called, kind, file.read_bytes())


def _joined(text: object, *, links: bool = True) -> str:
    """A text, or a list of texts and of parts with a form (bold, a link); marked where struck."""
    if isinstance(text, str):
        return looks.without_marks(text)
    out = []
    for part in text if isinstance(text, list) else ():
        if isinstance(part, str):
            out.append(looks.without_marks(part))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            target, words = part.get("href"), looks.without_marks(part["text"])
            if part.get("type") == "strikethrough":
                words = f"{looks.mark(looks.STRUCK)}{words}{looks.mark(0)}"
            shown = links and isinstance(target, str) and target != part["text"]
            out.append(f"{words} ({target})" if shown else words)
    return "".join(out)


def _contact(record: Mapping[str, Any]) -> tuple[str, str]:
    told = record.get("contact_information")
    if not isinstance(told, dict):
        return "", ""
    keys = ("first_name", "last_name", "phone_number")
    return " ".join(str(told[key]) for key in keys if told.get(key)), "a contact was sent"


def _place(record: Mapping[str, Any]) -> tuple[str, str]:
    told = record.get("location_information")
    named = [str(record[key]) for key in ("place_name", "address") if record.get(key)]
    if not isinstance(told, dict):
        return "\n".join(named), ""
    numbers = (str(told.get(key, "")) for key in ("latitude", "longitude"))
    return "\n".join((*named, ", ".join(numbers))), "a place was sent"


def _poll(record: Mapping[str, Any]) -> tuple[str, str]:
    """The question and what can be answered; who has chosen what changes, and is left out."""
    told = record.get("poll")
    if not isinstance(told, dict):
        return "", ""
    answers = told.get("answers")
    listed = [one for one in answers if isinstance(one, dict)] if isinstance(answers, list) else []
    lines = [_joined(told.get("question")), *(f"- {_joined(one.get('text'))}" for one in listed)]
    return "\n".join(lines), "a poll: what was chosen is left out"
