"""The files of a message: where they are beside the database, or in a backup of an iPhone."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path, PurePosixPath

from threadwell.channels.imessage.rows import StoredFile
from threadwell.channels.links import is_inside
from threadwell.messages import Attachment, media_type_of
from threadwell.messages.media_type import OCTETS

_NOT_THERE = "is not beside the export"
_FOLDER = "Attachments"
#: What a preview of a link is kept in.
_PREVIEW = ".pluginpayloadattachment"
#: How a backup calls the place of a file before it makes a name of that.
_IN_BACKUP = "MediaDomain-Library/SMS/Attachments/"
_TYPES = {".heic": "image/heic", ".caf": "audio/x-caf", ".vcf": "text/vcard"}


def is_shown(stored: StoredFile) -> bool:
    """Whether a file is one that somebody sent, and no preview of a link."""
    name = stored.filename or stored.transfer_name
    return not stored.hidden and not name.lower().endswith(_PREVIEW)


def found(stored: StoredFile, database: Path) -> Path | None:
    """Where a file is, if it is there.

    The database knows its place on the phone or Mac. What counts is the part below
    ``Attachments``; no name leads out of it.
    """
    parts = PurePosixPath(stored.filename.replace("\\", "/")).parts
    if _FOLDER not in parts:
        return None
    below = parts[parts.index(_FOLDER) + 1 :]
    if not below or ".." in below:
        return None
    named = hashlib.sha1(
        (_IN_BACKUP + "/".join(below)).encode("utf-8", "replace"), usedforsecurity=False
    ).hexdigest()
    folder = database.parent
    try:
        beside = folder.joinpath(_FOLDER, *below)
        if beside.is_file() and is_inside(beside, folder / _FOLDER):
            return beside
        backed_up = folder.parent / named[:2] / named
        is_there = backed_up.is_file() and is_inside(backed_up, folder.parent)
        return backed_up if is_there else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def read_file(stored: StoredFile, database: Path) -> Attachment:
    """The file with its content; without, where it is not there. Raises ``OSError``."""
    name = stored.transfer_name or PurePosixPath(stored.filename).name or "file"
    suffix = PurePosixPath(name).suffix.lower()
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or OCTETS
    kind = media_type_of(stored.mime_type) if stored.mime_type else guessed
    path = found(stored, database)
    if path is None:
        return Attachment(name, kind, None, _NOT_THERE)
    return Attachment(name, kind, path.read_bytes())
