"""Where records of reads are until they are chained: a file for each process and project.

A record is written before its answer is sent, and outlives the death of the process (kill -9) at
once: it is in the system's memory of the file. ``draining`` makes the files durable against the
loss of power, and moves what is in them into the store. A file is held (``flock``) while its
process lives.

Where the file system sets room aside for a file, the part of it that is written next is mapped into
memory: to copy a line there takes no call of the system, of which each request would notice what it
leaves behind in the processor's caches. Behind the last line such a file has zeros.
"""

from __future__ import annotations

import errno
import mmap
import os
import time
from collections.abc import Hashable
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import uuid4
from weakref import WeakSet

from threadwell.audit.reserving import reserves
from threadwell.stores.contract import StoreError, StoreFull

try:
    import fcntl
except ImportError:  # Windows: there a file counts as left behind once a day has gone by
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".spool"
_HAS_LOCKS = fcntl is not None
_CLOSED = getattr(os, "O_CLOEXEC", 0)
_MAKE = os.O_CREAT | os.O_EXCL | _CLOSED
#: Seconds after which a file is left behind, where files cannot be held.
_OLD = 86_400
#: Bytes after which a process begins another file, so that what is drained can go.
LARGE = 4 * 1024 * 1024
#: Bytes of a file that are mapped at a time: a multiple of every page's size.
WINDOW = 256 * 1024
_END = ord("\n")
_NUMBERS = count(1)


#: Of the place of a line: the bits that are its offset in its file.
_OFFSET = 40
_IN_FILE = (1 << _OFFSET) - 1
#: A line that no other can name.
NOWHERE = -1


class Pen(Protocol):
    """Keeps the records of a project.

    ``known`` has where in the file that is under way lines stand which others name, by what they
    are of.
    """

    known: dict[Hashable, int]

    def keep(self, line: bytes, /) -> int:
        """Keep a record, a line without its end; its place, or ``NOWHERE``.

        Raises ``StoreError`` where that cannot be done.
        """
        ...

    def beside(self, place: int, /) -> int:
        """Where in its file a line stands, if that is under way; ``NOWHERE`` if not."""
        ...

    def keep_beside(self, line: bytes, /) -> int:
        """Keep a line that names others of the file which is under way: as ``keep`` does, but
        ``NOWHERE``, and nothing is kept, where it would not come into that file.
        """
        ...

    def introduce(self, of: Hashable, line: bytes, /) -> int:
        """Keep a line for others to name; where in its file it stands, which is ``known`` from then
        on. ``NOWHERE``, and nothing is kept, where they could not.
        """
        ...


class Spool(Protocol):
    """Takes records that go with no commit; ``used`` once it was given one."""

    @property
    def used(self) -> bool: ...

    def pen(self, project: str) -> Pen:
        """What those of a project are written with."""
        ...

    def close(self) -> None:
        """No more come."""
        ...


class MemorySpool:
    """One that lasts as long as the process: for a store in memory, and for tests."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, bytes]] = []
        self.used = False

    def pen(self, project: str) -> Pen:
        """What those of a project are written with."""
        return _MemoryPen(self, project)

    def close(self) -> None:
        """Nothing is open."""


class NoPen:
    """Keeps nothing: for what is recorded otherwise."""

    def __init__(self) -> None:
        self.known: dict[Hashable, int] = {}

    def keep(self, line: bytes) -> int:  # noqa: ARG002 - nothing is kept
        """Keep nothing."""
        return NOWHERE

    def beside(self, _: int) -> int:
        """There is no file."""
        return NOWHERE

    def keep_beside(self, _: bytes) -> int:
        """There is no file."""
        return NOWHERE

    def introduce(self, _: Hashable, __: bytes) -> int:
        """There is no file."""
        return NOWHERE


class _MemoryPen(NoPen):
    def __init__(self, spool: MemorySpool, project: str) -> None:
        super().__init__()
        self._spool = spool
        self._project = project

    def keep(self, line: bytes) -> int:
        self._spool.used = True
        self._spool.waiting.append((self._project, line))
        return NOWHERE


class FileSpool:
    """Files in a folder, which is made when the first record comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pens: dict[str, _Pen] = {}
        _SPOOLS.add(self)

    @property
    def used(self) -> bool:
        """Whether a record came."""
        return any(pen.used for pen in self._pens.values())

    def pen(self, project: str) -> Pen:
        """What those of a project are written with: it raises ``StoreFull`` where there is no
        space, and ``StoreError``.
        """
        pen = self._pens.get(project)
        if pen is None:
            pen = self._pens[project] = _Pen(self.folder, project)
        return pen

    def close(self) -> None:
        """Let go of the files; what is in them waits to be drained."""
        for pen in self._pens.values():
            pen.put_down()

    def leave(self) -> None:
        """In a process that was forked: leave the files to the one that has begun them."""
        for pen in self._pens.values():
            pen.leave()


class _Pen:
    """Writes the records of a project, into one file after the other."""

    def __init__(self, folder: Path, project: str) -> None:
        self._folder = folder
        self._project = project
        self._file: _Written | _Mapped | None = None
        # The next line goes to this place of the window, if it ends before its end.
        self._window: mmap.mmap | bytearray = bytearray()
        self._at = self._room = 0
        #: The place where the window begins.
        self._base = 0
        self.known: dict[Hashable, int] = {}
        self.used = False

    def keep(self, line: bytes) -> int:
        place = self.keep_beside(line)
        return place if place >= 0 else self._go_on(line)

    def keep_beside(self, line: bytes) -> int:
        at = self._at
        end = at + len(line)
        if end < self._room:
            window = self._window
            window[at:end] = line
            # A line that has no end is none, to whoever reads meanwhile or after our death.
            window[end] = _END
            self._at = end + 1
            return self._base + at
        return NOWHERE

    def beside(self, place: int) -> int:
        is_there = self._room and place >> _OFFSET == self._base >> _OFFSET
        return place & _IN_FILE if is_there else NOWHERE

    def introduce(self, of: Hashable, line: bytes) -> int:
        place = self.keep_beside(line)
        if place >= 0:
            place = self.known[of] = place & _IN_FILE
        return place

    def put_down(self) -> None:
        """Let go of the file; what comes after that is written to another one."""
        at, file = self._at, self.leave()
        if file is not None:
            file.close(at)

    def leave(self) -> _Written | _Mapped | None:
        """Write no more to the file, which is returned."""
        file, self._file = self._file, None
        self._window, self._at, self._room = bytearray(), 0, 0
        self.known.clear()
        return file

    def _go_on(self, line: bytes) -> int:
        try:
            file = self._file
            if file is None or file.size >= LARGE:
                file = self._begin()
            if isinstance(file, _Written):
                file.write(line)
                return NOWHERE
            begins = self._base + self._at
            self._window, self._at, self._room = file.further(line, self._at)
            self._base = (file.number << _OFFSET) + file.size - self._room
            return begins
        except OSError as error:
            told = f"what is seen cannot be recorded in {self._folder}: {error.strerror}"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreFull(told) from None
            raise StoreError(told) from None

    def _begin(self) -> _Written | _Mapped:
        self.used = True
        self.put_down()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._project}.{uuid4().hex}{SUFFIX}"
        if reserves(self._folder):
            self._file = mapped = _Mapped(path)
            self._base = mapped.number << _OFFSET
        else:
            self._file = _Written(path)
        return self._file


def _made(path: Path, flags: int) -> int:
    """The handle of a new file, which is held."""
    # It has its name only once it is held: else it could be taken for one that was left.
    made = path.with_suffix(".new")
    handle = os.open(made, _MAKE | flags, 0o600)
    if _HAS_LOCKS:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.rename(path)
    return handle


class _Mapped:
    """A file that is written by way of memory."""

    def __init__(self, path: Path) -> None:
        self._handle = _made(path, os.O_RDWR)
        self._window: mmap.mmap | None = None
        #: Where the window ends.
        self.size = 0
        #: Its own in this process, from 1 on.
        self.number = next(_NUMBERS)

    def further(self, line: bytes, at: int) -> tuple[mmap.mmap, int, int]:
        """Write a line, the beginning of which is what the window has room for behind ``at``; the
        window that follows, where the next line goes, and how long it is.

        Room that cannot be had is told of before any of the line is written.
        """
        old = self._window
        fits = len(old) - at if old is not None else 0
        rest = len(line) - fits
        size = -(-(rest + 1) // WINDOW) * WINDOW
        os.posix_fallocate(self._handle, self.size, size)
        new = mmap.mmap(self._handle, size, offset=self.size)
        if old is not None:
            old[at:] = line[:fits]
            old.close()
        new[:rest] = line[fits:]
        new[rest] = _END
        self._window = new
        self.size += size
        return new, rest + 1, size

    def close(self, at: int) -> None:
        """Nothing is written behind ``at`` in the window."""
        if self._window is not None:
            left = len(self._window) - at
            self._window.close()
            os.truncate(self._handle, self.size - left)
        os.close(self._handle)


class _Written:
    """A file to which each line is written by a call of the system."""

    def __init__(self, path: Path) -> None:
        self._handle = _made(path, os.O_WRONLY | os.O_APPEND)
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

    def close(self, _: int) -> None:
        os.close(self._handle)


#: Those of this process.
_SPOOLS: WeakSet[FileSpool] = WeakSet()


def _leave_all() -> None:
    for one in list(_SPOOLS):
        one.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


def lines_in(content: bytes) -> bytes:
    """What is written whole of a part of a file: lines, each with its end."""
    written = content.partition(b"\0")[0]
    return written[: written.rfind(b"\n") + 1]


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
