"""A database where nothing can be written: on a read-only system, or in somebody else's folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import apsw

from threadwell.stores.contract import StoreError
from threadwell.stores.sql.entries import is_current
from threadwell.stores.sqlite.database import (
    APPLICATION_ID,
    BUSY_MS,
    migrations,
    setting,
    state,
)
from threadwell.stores.sqlite.deferred import waits
from threadwell.stores.sqlite.faults import store_error

_ONCE = "and has to be opened once where it can be written"


def is_frozen(path: Path) -> bool:
    """Whether a file, or the folder where SQLite keeps its log, cannot be written."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


@contextmanager
def thawed(path: Path) -> Iterator[Callable[[], apsw.Connection]]:
    """Opens connections that read what is there; raises ``StoreError`` for what cannot be read.

    Commits that are only in SQLite's log cannot be read where nothing can be written: then both
    are copied to where it can.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        logged = log.exists() and log.stat().st_size > 0
        if not logged:
            yield lambda: _connected(path, "mode=ro&immutable=1")
            return
        with TemporaryDirectory(prefix="threadwell-") as folder:
            copy = Path(shutil.copy(path, folder))
            shutil.copy(log, folder)
            yield lambda: _connected(copy, "mode=rw")
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from None


def check_frozen(connection: apsw.Connection, path: Path) -> None:
    """Raise ``StoreError`` for a file that would have to be changed before it can be read."""
    application, version = state(connection)
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not a Threadwell database")
    if version > len(migrations()):
        raise StoreError(f"{path} was written by a newer Threadwell")
    if version < len(migrations()) or not is_current(setting(connection, "index")):
        raise StoreError(f"{path} was written by an earlier Threadwell, {_ONCE}")
    if waits(connection):
        raise StoreError(f"{path} was not closed after the last import, {_ONCE}")


def _connected(path: Path, how: str) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_URI
    flags |= apsw.SQLITE_OPEN_READONLY if "mode=ro" in how else apsw.SQLITE_OPEN_READWRITE
    try:
        connection = apsw.Connection(
            f"file:{quote(str(path.absolute()))}?{how}", flags=flags, statementcachesize=500
        )
        connection.set_busy_timeout(BUSY_MS)
        connection.execute("PRAGMA query_only = ON")
    except apsw.Error as error:
        raise store_error(f"cannot open {path}", error) from None
    return connection
