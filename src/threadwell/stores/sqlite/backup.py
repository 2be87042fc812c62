"""A copy of a store's file as of one moment, while others go on writing to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import apsw

from threadwell.stores.contract import StoreDamaged, StoreError
from threadwell.stores.sqlite.database import APPLICATION_ID, BUSY_MS, MAGIC
from threadwell.stores.sqlite.faults import store_error
from threadwell.stores.sqlite.missing import no_store
from threadwell.stores.sqlite.rows import fetch

#: Is told how many pages are copied, and of how many.
Progress = Callable[[int, int], None]

_PAGES = 2000


def back_up(source: Path, target: Path, now: datetime, progress: Progress | None = None) -> Path:
    """Copy the store at ``source`` to ``target``, a new file or a folder; the file that was made.

    Within a folder the file is named by ``now``. What is there is never written over, nothing half
    done is ever seen under the name, and only the owner may read it. The source may be on a file
    system that takes no writes. Raises ``StoreError``; ``StoreDamaged`` where the copy shows that
    the source is damaged.
    """
    if not source.is_file():
        raise no_store(source)
    with source.open("rb") as head:
        if head.read(len(MAGIC)) != MAGIC:
            raise StoreError(f"{source} is not a Threadwell database")
    file = _named(source, target, now)
    if not file.parent.is_dir():
        raise StoreError(f"there is no folder {file.parent} to keep {file.name} in")
    try:
        with _unfinished(file) as partial:
            with _opened(source, partial.parent) as reading:
                _copy(reading, partial, progress)
            _finish(partial, file)
    except apsw.Error as error:
        raise store_error(f"cannot back {source} up", error) from None
    except OSError as error:
        raise StoreError(f"cannot write {error.filename or file}: {error.strerror}") from None
    return file


def _named(source: Path, target: Path, now: datetime) -> Path:
    if not target.is_dir():
        if target.exists() or target.is_symlink():
            raise StoreError(
                f"{target} is there already, and a backup writes over nothing: give another name,"
                " or a folder, in which each backup has a name of its own"
            )
        return target
    stem = f"{source.stem}-{now:%Y-%m-%d-%H%M%S}"
    names = (f"{stem}{f'-{n}' if n else ''}{source.suffix}" for n in range(1000))
    return next(file for name in names if not (file := target / name).exists())


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """A file beside ``file`` that goes away unless it is finished."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", suffix=".partial", dir=file.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            Path(name + end).unlink(missing_ok=True)


@contextmanager
def _opened(source: Path, folder: Path) -> Iterator[apsw.Connection]:
    """A connection that only reads ``source``."""
    log = source.with_name(f"{source.name}-wal")
    if os.access(source.parent, os.W_OK):
        # Whoever may write takes SQLite's log away when it is the last to leave.
        how = "mode=rw" if os.access(source, os.W_OK) else "mode=ro"
        with _connected(source, how) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection
    elif log.exists() and log.stat().st_size:
        # Its log holds commits, and to read them SQLite needs to write beside it: not here.
        with tempfile.TemporaryDirectory(prefix=".threadwell-", dir=folder) as beside:
            copy = Path(shutil.copy(source, beside))
            shutil.copy(log, beside)
            with _connected(copy, "mode=rw") as connection:
                yield connection
    else:
        with _connected(source, "mode=ro&immutable=1") as connection:
            yield connection


@contextmanager
def _connected(path: Path, how: str) -> Iterator[apsw.Connection]:
    flags = apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READWRITE
    if "mode=ro" in how:
        flags = apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READONLY
    connection = apsw.Connection(f"file:{quote(str(path.absolute()))}?{how}", flags=flags)
    try:
        connection.set_busy_timeout(BUSY_MS)
        ((application,),) = fetch(connection, "PRAGMA application_id")
        if application != APPLICATION_ID:
            raise StoreError(f"{path} is not a Threadwell database")
        yield connection
    finally:
        connection.close()


def _copy(reading: apsw.Connection, partial: Path, progress: Progress | None) -> None:
    # Within one transaction every page is of one moment, however much is written meanwhile.
    reading.execute("BEGIN")
    fetch(reading, "SELECT count(*) FROM sqlite_schema")
    writing = apsw.Connection(str(partial))
    try:
        with writing.backup("main", reading, "main") as copying:
            while not copying.done:
                copying.step(_PAGES)
                if progress is not None:
                    progress(copying.page_count - copying.remaining, copying.page_count)
        # In one file, which can be read where nothing can be written.
        writing.execute("PRAGMA journal_mode = DELETE")
        if fetch(writing, "PRAGMA quick_check(1)") != [("ok",)]:
            raise StoreDamaged("the store is damaged: an older backup is needed")
    finally:
        writing.close()
        reading.execute("ROLLBACK")


def _finish(partial: Path, file: Path) -> None:
    """Give the copy its name, once it is on the disk; never that of another file."""
    with partial.open("rb+") as written:
        os.fsync(written.fileno())
    try:
        os.link(partial, file)
    except FileExistsError:
        raise StoreError(f"{file} has come to be meanwhile: a backup writes over nothing") from None
    except OSError:  # a file system without links
        if file.exists():
            raise StoreError(f"{file} has come to be meanwhile") from None
        partial.rename(file)
    with contextlib.suppress(OSError):  # not every system can do so for a folder
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
