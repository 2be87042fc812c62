"""Maildir folders: one file a mail, its state in the file's name.

Programs nest them in many ways: as ``.Sent`` beside ``cur`` (Maildir++: Dovecot, Courier,
Evolution), as ``.Archive`` within ``.Work`` or ``Archive/2023`` below plain folders (mbsync,
offlineimap, Dovecot's ``LAYOUT=fs``), in ``Inbox.sbd`` (Thunderbird). So a Maildir is only what
lies in its own three folders; whatever else is there is looked at as in any folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

_OWN = ("cur", "new", "tmp")
# Windows allows no colon in a name: programs there write one of the others.
_FLAGS = re.compile(r"[:;!]2,([A-Za-z]*)$")
#: The time of delivery, and what makes the name the only one.
_NAME = re.compile(r"\d{5,}[._].*|.*[:;!]2,[A-Za-z]*", re.DOTALL)
#: What mail servers and programs note for themselves beside the mails.
_NOTES = re.compile(
    r"dovecot[.-].*|maildir(folder|size)|courier(imap|pop3d).*|subscriptions|isync.*|mbsync.*",
    re.IGNORECASE,
)


def is_maildir(folder: Path) -> bool:
    """Whether a folder is a Maildir: it has two of ``cur``, ``new`` and ``tmp``.

    Where empty folders got lost, as in archives and under version control, it is one if what is in
    ``cur`` is named as the mails of a Maildir are.
    """
    own = [name for name in _OWN if (folder / name).is_dir()]
    if len(own) > 1:
        return True
    try:
        return own == ["cur"] and any(_NAME.fullmatch(p.name) for p in (folder / "cur").iterdir())
    except OSError:
        return False


def rest(folder: Path) -> Iterator[Path]:
    """What in a Maildir is neither one of its three folders nor a mail server's note.

    Raises ``OSError`` where it cannot be listed.
    """
    for path in folder.iterdir():
        if path.name not in _OWN and not _NOTES.fullmatch(path.name):
            yield path


def mails(folder: Path) -> Iterator[Path]:
    """The files in the three folders of a Maildir, in a stable order.

    Raises ``OSError`` where a folder cannot be listed.
    """
    for name in _OWN:
        if (folder / name).is_dir():
            yield from _files(folder / name)


def is_unfinished(path: Path, folder: Path) -> bool:
    """Whether a file lies in the ``tmp`` of the Maildir ``folder``: it was never delivered."""
    return path.relative_to(folder).parts[0] == "tmp"


def is_file(path: Path) -> bool:
    """Whether there is something to read, and no pipe or device. Raises ``OSError``."""
    return S_ISREG(path.stat().st_mode)


def flags(path: Path) -> str:
    """The flags of a mail: ``D`` draft, ``F`` flagged, ``R`` replied, ``S`` seen, ``T`` trashed."""
    found = _FLAGS.search(path.name)
    return found[1] if found else ""


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path
