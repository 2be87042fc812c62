"""Media types (RFC 2045 §5.1, RFC 9110 §8.3.1): read strictly, and in one place.

What a stranger says of a file decides how a browser treats it. A text with two types in it, or
with signs that no type has, is no media type: who serves it as one leaves the choice to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

#: What is said of bytes of which nothing is known (RFC 2046 §4.5.1).
OCTETS = "application/octet-stream"

_SIGNS = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
#: RFC 6838 §4.2: what the names of types are made of.
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&\-^_.+]{0,126}"
_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\uffff]|\\[\t -~])*"'
_TYPE = re.compile(rf"({_NAME}/{_NAME})[ \t]*(?=;|$)")
_RANGE = re.compile(rf"({_NAME}/(?:{_NAME}|\*)|\*/\*)[ \t]*(?=;|$)")
_PARAMETER = re.compile(rf";[ \t]*(?:({_SIGNS})=({_SIGNS}|{_QUOTED}))?[ \t]*(?=;|$)")
_ESCAPE = re.compile(r"\\(.)")
_PLAIN = re.compile(_SIGNS)
_WORD = re.compile(r"[A-Za-z0-9!#$&^_.+\-]+")
_LONGEST = 1000

#: Files that a browser shows by itself, and runs nothing of.
_SHOWN = {
    "image": "png jpeg gif webp bmp x-ms-bmp avif heic heif tiff vnd.microsoft.icon",
    "audio": "mpeg mp4 x-m4a aac ogg opus webm wav x-wav amr amr-wb 3gpp 3gpp2 flac basic",
    "video": "mp4 mpeg ogg webm 3gpp 3gpp2 quicktime",
    "text": "plain",
    "application": "pdf",
}
_INERT = frozenset(f"{kind}/{name}" for kind, names in _SHOWN.items() for name in names.split())


@dataclass(frozen=True, slots=True)
class MediaType:
    """``name`` is ``type/subtype`` in lower case, ``parameters`` by their lower-case names."""

    name: str
    parameters: Mapping[str, str]

    @property
    def is_inert(self) -> bool:
        """Can a browser show it without running any of it? Only types that are known to be so."""
        return self.name in _INERT

    def __str__(self) -> str:
        """As a header has it; the same for the same type, however it was written."""
        return self.name + "".join(
            f"; {name}={_written(value)}" for name, value in self.parameters.items()
        )


def parse_media_type(text: str) -> MediaType | None:
    """The media type that ``text`` is; ``None`` if it is none, or more than one."""
    return _parsed(text, _TYPE)


def parse_media_range(text: str) -> MediaType | None:
    """The same where ``*`` may stand for any type or subtype (RFC 9110 §12.5.1)."""
    return _parsed(text, _RANGE)


def media_type_of(text: str) -> str:
    """What may be kept of what a stranger says that a file is.

    That is the type with its parameters, but for those that take more than a word; without any
    where they are garbled; and ``OCTETS`` where it is no type at all.
    """
    whole = parse_media_type(text)
    if whole is None:
        whole = parse_media_type(text.partition(";")[0])
    if whole is None:
        return OCTETS
    kept = {name: v for name, v in whole.parameters.items() if _WORD.fullmatch(name + v)}
    return str(MediaType(whole.name, kept))


@lru_cache(maxsize=1024)
def _parsed(text: str, pattern: re.Pattern[str]) -> MediaType | None:
    text = text.strip(" \t")
    found = pattern.match(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    parameters: dict[str, str] = {}
    at = found.end()
    while at < len(text):
        parameter = _PARAMETER.match(text, at)
        if parameter is None:
            return None
        at = parameter.end()
        if parameter[1] is None:  # an empty place between semicolons
            continue
        name = parameter[1].lower()
        if name in parameters:
            return None
        parameters[name] = _read(parameter[2])
    return MediaType(found[1].lower(), parameters)


def _read(value: str) -> str:
    return _ESCAPE.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def _written(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
