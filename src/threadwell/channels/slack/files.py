"""The files of a record: an export has only links to them, unless a tool has fetched them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from threadwell.channels.links import is_inside
from threadwell.channels.slack.workspace import UPLOADS
from threadwell.messages import OCTETS, Attachment, media_type_of

_NOT_THERE = "is not in the export, which has only links to files"
_WHY = {
    "tombstone": "was deleted in Slack",
    "hidden_by_limit": "is older than what the workspace's plan shows",
    "external": "is kept outside of Slack",
}


def read_files(record: Mapping[str, Any], root: Path, folder: Path) -> tuple[Attachment, ...]:
    """The files of a record; ``root`` is the export, ``folder`` that of the conversation."""
    found = record.get("files")
    listed = found if isinstance(found, list) else [record.get("file")]
    return tuple([_file(one, root, folder) for one in listed if isinstance(one, dict)])


def _file(one: Mapping[str, Any], root: Path, folder: Path) -> Attachment:
    id_, mode = (str(one.get(key) or "") for key in ("id", "mode"))
    name = next((str(one[key]) for key in ("name", "title") if one.get(key)), id_ or "file")
    type_ = media_type_of(str(one.get("mimetype") or OCTETS))
    content = _content(id_, name, root, folder)
    external = mode == "external" or one.get("is_external") is True
    why = _WHY.get("external" if external else mode, _NOT_THERE)
    return Attachment(name, type_, content, "" if content is not None else why)


def _content(id_: str, name: str, root: Path, folder: Path) -> bytes | None:
    """What a tool has fetched; it lies under the id of the file and its name."""
    if not id_ or "/" in id_ + name or "\\" in id_ + name:
        return None
    for path in (root / UPLOADS / id_ / name, folder / "attachments" / f"{id_}-{name}"):
        try:
            if path.is_file() and is_inside(path, root):
                return path.read_bytes()
        except (OSError, ValueError):  # a name that no file can have
            continue
    return None
