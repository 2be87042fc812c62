"""Files that are written whole, or stay as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let an ``OSError`` of the work on a file name it: who writes is told why, and not where."""
    try:
        yield
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, what, str(path)) from None


def replace(path: Path, content: bytes) -> None:
    """Have a file hold that, or what it held before, whatever happens.

    Raises an ``OSError`` that names it.
    """
    fresh = path.with_name(f"{path.name}.new")
    with named(path), fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
