"""Which files this very process has open.

To open and close a file drops the locks that the same process holds on it (POSIX), so a database
that it works with, such as the store, must not be looked into. One that is open elsewhere may be.
"""

from __future__ import annotations

import os
from pathlib import Path

_NUMBERS = Path("/dev/fd")
#: Where the system does not list them: no process of ours has more files open.
_MOST = 4096


def is_open_here(path: Path) -> bool:
    """Whether this process has the file at ``path`` open, under whatever name."""
    try:
        asked = path.stat()
    except OSError:
        return False
    return any(_is_same(number, asked) for number in _open_numbers())


def _open_numbers() -> list[int]:
    try:
        return [int(one.name) for one in _NUMBERS.iterdir() if one.name.isdigit()]
    except OSError:
        return list(range(_MOST))


def _is_same(number: int, asked: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(number), asked)
    except OSError:
        return False
