"""A file that a command writes: whole, or not there."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from threadwell.cli.errors import Mistake

#: What is wrong with a disk while it is written to; other errors then are of what is being read.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


@contextmanager
def whole_file(path: Path, *, over: bool = True) -> Iterator[BinaryIO]:
    """A file to write to, which gets its name when all is written.

    Until then what was there stays as it was; where the work is broken off, there is nothing new.
    What is no file of a folder, such as a pipe, is written to directly.

    Args:
        path: What it is called in the end. A link is followed.
        over: Whether it may take the place of a file that is there.

    Raises:
        Mistake: It cannot be written, and why; or it is there and must not be written over.
    """
    if not over and path.exists():
        raise _taken(path)
    if path.exists() and not path.is_file():
        with _told(path):
            file = path.open("wb")
        with _told(path, _FULL), file:
            yield file
        return
    target = path.resolve()
    with _told(path):
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with _told(path, _FULL), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
        with _told(path):
            part.chmod(_mode(target))
            _settle(part, target, over=over)
    finally:
        part.unlink(missing_ok=True)


def _settle(part: Path, target: Path, *, over: bool) -> None:
    if over:
        part.replace(target)
        return
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise _taken(target) from None


def _mode(target: Path) -> int:
    """The permissions of the file that was there, or those that a new one gets here."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _taken(path: Path) -> Mistake:
    return Mistake(f"{path} is there already: an export writes over nothing")


@contextmanager
def _told(path: Path, kinds: frozenset[int] | None = None) -> Iterator[None]:
    """Have an ``OSError``, or one of these kinds, say which file cannot be written."""
    try:
        yield
    except OSError as error:
        if kinds is not None and error.errno not in kinds:
            raise
        raise Mistake(f"{path} cannot be written: {error.strerror or error}") from None
