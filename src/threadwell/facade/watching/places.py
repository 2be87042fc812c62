"""Where files go once they are done with. Nothing is ever written over."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

#: Ends the name of the file beside one that could not be read, which says why.
WHY = ".why.txt"


def move(path: Path, folder: Path) -> Path:
    """Move a file or folder into ``folder``, under another name if its own is taken there.

    Raises ``OSError``.
    """
    folder.mkdir(exist_ok=True)
    target = _free(folder / path.name)
    os.rename(path, target)  # noqa: PTH104 - Path.rename follows the same call, with a copy of it
    return target


def say_why(path: Path, reason: str) -> None:
    """Write beside a file that was moved why it could not be read."""
    _free(path.with_name(path.name[:200] + WHY)).write_text(reason + "\n", "utf-8")


def _free(path: Path) -> Path:
    if not os.path.lexists(path):
        return path
    names = (f"{path.stem[:200]} ({number}){path.suffix}" for number in count(2))
    return next(one for name in names if not os.path.lexists(one := path.with_name(name)))
