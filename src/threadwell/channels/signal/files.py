"""The files of messages: a message knows the digest of one, and the export keeps it somewhere."""

from __future__ import annotations

import hashlib
import mimetypes
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from threadwell.channels.links import is_inside
from threadwell.channels.signal.frames import Values, name_of, number, raw, text, values
from threadwell.messages import Attachment, media_type_of

_NOT_THERE = "is not beside the export"
_FOLDER = "files"
_SUFFIXES = {"audio/aac": ".aac", "image/webp": ".webp", "audio/ogg": ".ogg"}


@dataclass(slots=True)
class Media:
    """What lies below ``files`` beside an export, by the names and sizes of the files."""

    folder: Path
    _by_name: dict[str, Path] = field(default_factory=dict)
    _by_size: dict[int, list[Path]] = field(default_factory=lambda: defaultdict(list))
    _digests: dict[Path, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, export: Path) -> Media:
        """The files beside an export. Raises ``OSError`` where they cannot be listed."""
        out = cls(export.parent / _FOLDER)
        if out.folder.is_dir():
            for path in sorted(out.folder.rglob("*")):
                if path.is_file() and is_inside(path, out.folder):
                    out._by_name.setdefault(path.name.partition(".")[0].lower(), path)
                    out._by_size[path.stat().st_size].append(path)
        return out

    def find(self, pointer: Values, local_id: str = "") -> Path | None:
        """The file that a pointer means. Raises ``OSError`` where files cannot be read.

        It is called by its digest or by an id; else the one file of its size with its digest.
        """
        locator = values(pointer, "locatorInfo")
        digest = raw(locator, "plaintextHash")
        for name in filter(None, (digest.hex(), local_id.lower())):
            if (path := self._by_name.get(name)) is not None:
                return path
        size = number(locator, "size") or number(pointer, "size")
        fitting = self._by_size.get(size, ()) if digest else ()
        return next((path for path in fitting if self._digest(path) == digest), None)

    def open(self, pointer: Values, place: int, local_id: str = "", note: str = "") -> Attachment:
        """The file with its content; without, where it is not there. Raises ``OSError``."""
        written = text(pointer, "contentType")
        kind = media_type_of(written)
        bare = kind.partition(";")[0]
        suffix = _SUFFIXES.get(bare) or mimetypes.guess_extension(bare) or ""
        name = text(pointer, "fileName") or f"file-{place}{suffix}"
        path = self.find(pointer, local_id)
        if path is None:
            return Attachment(name, kind, None, note or _NOT_THERE)
        return Attachment(name, kind, path.read_bytes())

    def _digest(self, path: Path) -> bytes:
        if path not in self._digests:
            with path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").digest()
        return self._digests[path]


def local_id_of(attachment: Values) -> str:
    """By what a program may have called the file of an attachment."""
    return name_of(attachment, "clientUuid")
