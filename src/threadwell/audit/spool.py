"""Where records of reads are until they are chained: a file for each process and project.

A record is written by one call before its answer is sent, so it outlives the death of the process
(kill -9) at once. ``draining`` makes the files durable against the loss of power, and moves what is
in them into the store. A file is held (``flock``) while its process lives.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from threadwell.stores.contract import StoreError, StoreFull

try:
    import fcntl
except ImportError:  # Windows: there a file counts as left behind once a day has gone by
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".spool"
_HAS_LOCKS = fcntl is not None
_CLOSED = getattr(os, "O_CLOEXEC", 0)
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _CLOSED
#: Seconds after which a file is left behind, where files cannot be held.
_OLD = 86_400
#: Bytes after which a process begins another file, so that what is drained can go.
LARGE = 4 * 1024 * 1024


class Spool(Protocol):
    """Takes records that go with no commit, each a line without its end; ``used`` once it was given
    one."""

    used: bool

    def append(self, project: str, line: bytes) -> None:
        """Keep a record; raises ``StoreError`` where that cannot be done."""
        ...

    def close(self) -> None:
        """No more come."""
        ...


class MemorySpool:
    """One that lasts as long as the process: for a store in memory, and for tests."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, bytes]] = []
        self.used = False

    def append(self, project: str, line: bytes) -> None:
        """Keep a record."""
        self.used = True
        self.waiting.append((project, line))

    def close(self) -> None:
        """Nothing is open."""


class FileSpool:
    """Files in a folder, which is made when the first record comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}
        self.used = False

    def append(self, project: str, line: bytes) -> None:
        """Write a record; raises ``StoreFull`` where there is no space, and ``StoreError``."""
        file = self._files.get(project)
        try:
            if file is None or file.size >= LARGE:
                file = self._begin(project)
            file.write(line)
        except OSError as error:
            told = f"what is seen cannot be recorded in {self.folder}: {error.strerror}"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreFull(told) from None
            raise StoreError(told) from None

    def close(self) -> None:
        """Let go of the files; what is in them waits to be drained."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _begin(self, project: str) -> _File:
        self.used = True
        if file := self._files.pop(project, None):
            file.close()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _File(self.folder / f"{project}.{uuid4().hex}{SUFFIX}")
        self._files[project] = file
        return file


class _File:
    def __init__(self, path: Path) -> None:
        # It has its name only once it is held: else it could be taken for one that was left.
        made = path.with_suffix(".new")
        self._handle = os.open(made, _MAKE, 0o600)
        if _HAS_LOCKS:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(path)
        self.size = 0
        self._torn = False

    def write(self, line: bytes) -> None:
        line = b"\n%s\n" % line if self._torn else line + b"\n"
        written = os.write(self._handle, line)
        self.size += written
        # Of a disk that fills up a part may be taken: it is closed off, and is no record.
        self._torn = written != len(line)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        os.close(self._handle)


def project_of(path: Path) -> str:
    """The project whose records are in a file."""
    return path.name.removesuffix(SUFFIX).rpartition(".")[0]


def is_left(path: Path) -> bool:
    """Whether the process that wrote the file is gone, or writes to another one."""
    try:
        if not _HAS_LOCKS:
            return time.time() - path.stat().st_mtime > _OLD
        handle = os.open(path, os.O_RDONLY | _CLOSED)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
