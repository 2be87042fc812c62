"""The files of messages, which lie beside their pages under names that only nearly agree."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from threadwell.channels.google_voice.file_names import is_html
from threadwell.channels.google_voice.page import Named
from threadwell.channels.links import is_inside
from threadwell.messages import Attachment
from threadwell.messages.media_type import OCTETS

_TYPES = {".amr": "audio/amr", ".3gp": "video/3gpp", ".vcf": "text/vcard", ".webp": "image/webp"}
_NOT_THERE = "is not beside the export"
#: How the name of a file ends: the page's instant, the message's number and its own. What stands
#: before it is cut where it is long.
_TAIL = re.compile(r"\d{4}-\d\d-\d\dT\d\d_\d\d_\d\dZ?-\d{1,5}-\d{1,4}\Z")
_COPY = re.compile(r" ?\(\d{1,3}\)\Z")


@dataclass(slots=True)
class Media:
    """What lies in a folder beside the pages, by its name, without its suffix, by how it ends."""

    folder: Path
    _by_name: dict[str, str] = field(default_factory=dict)
    _by_stem: dict[str, str] = field(default_factory=dict)
    _by_tail: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, folder: Path) -> Media:
        """Raises ``OSError`` where the folder cannot be listed."""
        out = cls(folder)
        for name in sorted(path.name for path in folder.iterdir()):
            if is_html(name) or name.startswith("."):
                continue
            stem = _plain(name.rpartition(".")[0] or name)
            out._by_name[_plain(name)] = name
            out._by_stem.setdefault(stem, name)
            if tail := _TAIL.search(_COPY.sub("", stem)):
                out._by_tail[tail[0]].append(name)
        return out

    def find(self, named: Named, copy: str = "") -> Path | None:
        """The file that a message names, on a page that is the ``copy``-th of its name."""
        wanted = _plain(named.name)
        copies = (f"{wanted}({copy})", f"{wanted} ({copy})") if copy else ()
        found = next(filter(None, map(self._by_stem.get, (*copies, wanted))), None)
        found = found or self._by_name.get(wanted) or self._cut(wanted)
        path = self.folder / found if found else None
        return path if path and path.is_file() and is_inside(path, self.folder) else None

    def _cut(self, wanted: str) -> str | None:
        """The one file that ends as that name does, and begins as far as both go."""
        tail = _TAIL.search(wanted)
        if tail is None:
            return None
        ends_so = self._by_tail.get(tail[0], ())
        near = [one for one in ends_so if _may_be_cut(_before(one, tail), _before(wanted, tail))]
        return near[0] if len(near) == 1 else None

    def open(self, named: Named, name: str, copy: str = "") -> Attachment:
        """The file with its content, under ``name`` and its own suffix; without, where it is not
        there. Raises ``OSError``.
        """
        path = self.find(named, copy)
        if path is None:
            return Attachment(name, OCTETS, None, _NOT_THERE)
        suffix = path.suffix.lower()
        kind = _TYPES.get(suffix) or mimetypes.guess_type(path.name)[0] or OCTETS
        return Attachment(name + suffix, kind, path.read_bytes())


def _before(name: str, tail: re.Match[str]) -> str:
    return _plain(name).partition(tail[0])[0].partition(" - ")[0]


def _may_be_cut(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _plain(name: str) -> str:
    # An archive made on macOS writes names decomposed.
    return unicodedata.normalize("NFC", name)
