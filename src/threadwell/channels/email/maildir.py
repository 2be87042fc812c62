"""Maildir folders: one file a mail, its state in the file's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# Windows allows no colon in a name: programs there write one of the others.
_FLAGS = re.compile(r"[:;!]2,([A-Za-z]*)$")


def is_maildir(folder: Path) -> bool:
    """Whether a folder is a Maildir: it has ``cur`` and ``new``."""
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def is_unfinished(path: Path) -> bool:
    """Whether a file lies in the ``tmp`` of a Maildir: it was never delivered."""
    return path.parent.name == "tmp" and is_maildir(path.parent.parent)


def mails(folder: Path) -> Iterator[Path]:
    """The mails of a Maildir and of the folders in it (Maildir++: ``.Sent``), in a stable order.

    Raises ``OSError`` where a folder cannot be listed.
    """
    for name in ("cur", "new"):
        for path in sorted((folder / name).iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield path
    for inner in sorted(folder.iterdir()):
        if inner.name not in ("cur", "new", "tmp") and inner.is_dir() and is_maildir(inner):
            yield from mails(inner)


def flags(path: Path) -> str:
    """The flags of a mail: ``D`` draft, ``F`` flagged, ``R`` replied, ``S`` seen, ``T`` trashed."""
    found = _FLAGS.search(path.name)
    return found[1] if found else ""
