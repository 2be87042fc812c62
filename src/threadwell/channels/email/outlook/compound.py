"""A ``.msg`` file as objects with properties: the item, whom it goes to, what comes with it.

The file is a small file system (MS-CFB), read by ``olefile``. A file in which two streams share
their bytes is refused: however small it is, there would be no end to what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.channels.email.outlook.properties import Properties, read_properties

if TYPE_CHECKING:
    import olefile

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PROPERTIES = "__properties_version1.0"

_VALUE = re.compile(r"__substg1\.0_([0-9A-F]{4})([0-9A-F]{4})", re.IGNORECASE)
_RECIPIENT, _ATTACHMENT = "__recip_version1.0_", "__attach_version1.0_"
_EMBEDDED = "__substg1.0_3701000D"
#: How many bytes stand before the first property (MS-OXMSG §2.4.1).
_OF_FILE, _OF_EMBEDDED, _OF_PART = 32, 24, 8
#: Items within items, deeper than anybody forwards them.
_DEEPEST = 20


class NotAnItem(ValueError):
    """The file is no Outlook item, or is damaged; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file or, where ``item`` is one, a whole item that was attached."""

    properties: Properties
    item: Item | None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of Outlook."""

    properties: Properties
    recipients: Sequence[Properties]
    attachments: Sequence[Attached]


@dataclass(slots=True)
class _Storage:
    """A folder of the file: its streams by name, and the folders in it."""

    streams: dict[str, str] = field(default_factory=dict)
    storages: dict[str, _Storage] = field(default_factory=dict)


def read_item(path: Path) -> Item:
    """The item that a file is. Raises ``NotAnItem``, and ``OSError`` where it cannot be opened."""
    import olefile  # here, as most imports meet no such file

    try:
        with olefile.OleFileIO(path) as ole:
            root = _Storage()
            for *folders, name in ole.listdir(streams=True, storages=False):
                storage = root
                for folder in folders:
                    storage = storage.storages.setdefault(folder, _Storage())
                storage.streams[name] = "/".join((*folders, name))
            return _item(_Reader(ole, path.stat().st_size), root, _OF_FILE, 0)
    except NotAnItem:
        raise
    except Exception as error:  # whatever a damaged file leads to must not end an import
        if isinstance(error, OSError) and error.errno is not None:  # the machine's, not the file's
            raise
        raise NotAnItem("is damaged: its parts do not hold together") from error


def is_item(head: bytes, path: Path) -> bool:
    """Whether a file that begins with ``head`` is an item of Outlook, and no other document.

    The names of its parts tell; where they stand further on, the file itself is opened. A member
    of an archive, which cannot be, goes by its own name.
    """
    if not head.startswith(MAGIC):
        return False
    if PROPERTIES.encode("utf-16-le") in head:
        return True
    if not path.is_file():
        return path.suffix.lower() == ".msg"
    import olefile

    try:
        with olefile.OleFileIO(path) as ole:
            return bool(ole.exists(PROPERTIES))
    except Exception:  # noqa: BLE001 - a damaged file is none of these
        return False


@dataclass(slots=True)
class _Reader:
    """Reads streams, of which there cannot be more than the file is long."""

    ole: olefile.OleFileIO
    left: int

    def read(self, name: str) -> bytes:
        self.left -= self.ole.get_size(name)
        if self.left < 0:
            raise NotAnItem("is damaged: its parts share their bytes")
        content: bytes = self.ole.openstream(name).read()
        return content


def _item(reader: _Reader, storage: _Storage, header: int, depth: int) -> Item:
    if PROPERTIES not in storage.streams:
        raise NotAnItem("is no item of Outlook")
    if depth > _DEEPEST:
        raise NotAnItem(f"holds items within more than {_DEEPEST} others")
    own = _properties(reader, storage, header, 0)
    recipients = [
        _properties(reader, one, _OF_PART, own.code_page)
        for one in _numbered(storage.storages, _RECIPIENT)
    ]
    attachments = [
        Attached(
            _properties(reader, one, _OF_PART, own.code_page),
            _item(reader, one.storages[_EMBEDDED], _OF_EMBEDDED, depth + 1)
            if _EMBEDDED in one.storages and PROPERTIES in one.storages[_EMBEDDED].streams
            else None,
        )
        for one in _numbered(storage.storages, _ATTACHMENT)
    ]
    return Item(own, recipients, attachments)


def _numbered(storages: Mapping[str, _Storage], prefix: str) -> list[_Storage]:
    return [storages[name] for name in sorted(storages) if name.startswith(prefix)]


def _properties(reader: _Reader, storage: _Storage, header: int, code_page: int) -> Properties:
    stored = {
        (int(found[1], 16), int(found[2], 16)): reader.read(path)
        for name, path in storage.streams.items()
        if (found := _VALUE.fullmatch(name))
    }
    fixed = reader.read(storage.streams[PROPERTIES]) if PROPERTIES in storage.streams else b""
    return read_properties(fixed, header, stored, code_page)
