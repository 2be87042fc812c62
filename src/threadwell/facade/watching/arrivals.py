"""What is in a watched folder, and which of it is whole.

Told by looking again and again, not by what a system says of changes: a share of another machine
says nothing, and what happened before a start has to be found anyway (docs/adr).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from threadwell.channels.links import unfollowed
from threadwell.channels.reading import is_left_out
from threadwell.facade.watching.plan import DONE, UNREAD

#: What programs call a file that they still write: browsers, rsync, WinSCP, editors.
_PARTIAL = re.compile(
    r".*\.(?:part|partial|filepart|crdownload|download|tmp|temp|swp|opdownload|aria2|!ut)|.*~",
    re.IGNORECASE | re.DOTALL,
)


class Arrival(NamedTuple):
    """A file or folder that may be taken in; ``trace`` differs whenever it has changed."""

    name: str
    path: Path
    trace: str


def arrivals(folder: Path) -> list[Arrival]:
    """What is in the folder, in order; raises ``OSError`` where it cannot be looked into.

    Left out is what an import leaves out, what programs call a file that they still write, what is
    neither file nor folder, links that lead elsewhere, and the folders that files go to.
    """
    with os.scandir(folder) as entries:
        here = {entry.name: entry for entry in entries}
    found = []
    for name, entry in sorted(here.items()):
        if name in (DONE, UNREAD) or _PARTIAL.fullmatch(name) or is_left_out(name, here):
            continue
        path = folder / name
        if entry.is_symlink() and unfollowed(path, folder):
            continue
        if trace := trace_of(path):
            found.append(Arrival(name, path, trace))
    return found


def trace_of(path: Path) -> str:
    """Size, time and rights of a file, or of all that a folder holds; ``""`` for nothing such."""
    try:
        status = os.stat(path)  # noqa: PTH116 - of every file, in every look
    except OSError:
        return ""
    if S_ISREG(status.st_mode):
        return _trace(status) if status.st_size else ""
    if not S_ISDIR(status.st_mode):
        return ""
    digest, files = sha256(), 0
    for inner in _within(path):
        try:
            trace = _trace(inner.lstat())
        except OSError:
            continue
        files += 1
        digest.update(os.fsencode(inner) + b"\0" + trace.encode() + b"\0")
        if _PARTIAL.fullmatch(inner.name):
            return ""  # A program still writes there.
    return f"{files} {digest.hexdigest()}" if files else ""


def _within(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(root) / name


def _trace(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_mode:o}"
