"""The database file: made, opened, brought to the present schema, and never open to others."""

from __future__ import annotations

import os
import secrets
from functools import cache
from importlib.resources import files
from pathlib import Path

import apsw

from threadwell.stores.contract import StoreError
from threadwell.stores.sqlite.faults import store_error
from threadwell.stores.sqlite.rows import fetch

#: ``PRAGMA application_id`` of a Threadwell database: "Thwl".
APPLICATION_ID = 0x5468776C

#: How long to wait for another process that writes or checkpoints, in milliseconds.
BUSY_MS = 10_000

#: How every SQLite file begins.
MAGIC = b"SQLite format 3\0"
#: Pages that a connection keeps to read again, in KiB. What is beside them the operating system
#: has: to get a page from there costs a microsecond, and each process has several connections.
_CACHE_KIB = 8_192
#: The same of one that writes in bulk.
_BULK_KIB = 65_536
#: Changed pages of a transaction (4 KiB each) beyond which some are written before its end.
_CHANGED = 16_384


def open_database(path: Path) -> apsw.Connection:
    """A connection for writing; makes the file, or its missing migrations, first.

    Raises ``StoreError`` for a file that is not a Threadwell database or belongs to a newer
    version, and for one that cannot be opened.
    """
    try:
        # Only the owner may read it; SQLite gives its -wal and -shm the same rights.
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        head = os.read(file, len(MAGIC))
        os.close(file)
        # SQLite takes a very short file for an empty database, and would write over it.
        if head and head != MAGIC:
            raise StoreError(f"{path} is not a Threadwell database")
        connection = apsw.Connection(str(path), statementcachesize=500)
    except OSError as error:
        raise StoreError(f"cannot open {path} for writing: {error.strerror}") from None
    except apsw.Error as error:
        raise store_error(f"cannot open {path}", error) from None
    try:
        _configure(connection)
        _migrate(connection, path)
    except apsw.Error as error:
        connection.close()
        raise store_error(f"cannot open {path} for writing", error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """A further connection that only reads."""
    connection = apsw.Connection(
        str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=500
    )
    connection.set_busy_timeout(BUSY_MS)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA query_only = ON")
    return connection


def as_usual(connection: apsw.Connection) -> None:
    """Have a connection write as one that others wait for."""
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    # A checkpoint every 40 MB: four times as rare as the default, for less writing in all.
    connection.execute("PRAGMA wal_autocheckpoint = 10000")


def in_bulk(connection: apsw.Connection) -> None:
    """Have it write as is best where gigabytes are written.

    The entries of new messages are spread over all of the index, so each commit changes many of the
    same pages: what stays at hand is not read again, and is copied into the database once in 256 MB
    of the log.
    """
    connection.execute(f"PRAGMA cache_size = -{_BULK_KIB}")
    connection.execute("PRAGMA wal_autocheckpoint = 65536")


def setting(connection: apsw.Connection, name: str) -> bytes:
    """A setting that every database has from its first day."""
    (value,) = fetch(connection, "SELECT value FROM setting WHERE name = ?", (name,))[0]
    assert isinstance(value, bytes)
    return value


@cache
def migrations() -> tuple[str, ...]:
    """The SQL of each schema version, the first at position 0."""
    folder = files(__package__).joinpath("schema")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(folder.joinpath(name).read_text() for name in names)


def _configure(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MS)
    connection.execute("PRAGMA synchronous = FULL")
    # Of what is removed nothing stays in pages that are written anyway: what is expunged is gone.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute(f"PRAGMA cache_spill = {_CHANGED}")
    as_usual(connection)


def _migrate(connection: apsw.Connection, path: Path) -> None:
    if state(connection) == (APPLICATION_ID, len(migrations())):
        # A backup made by VACUUM INTO has another journal.
        connection.execute("PRAGMA journal_mode = WAL")
        return
    if _tables(connection) == 0:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        application, version = state(connection)
        if application != APPLICATION_ID and _tables(connection):
            raise StoreError(f"{path} is not a Threadwell database")
        if version > len(migrations()):
            raise StoreError(
                f"{path} has schema version {version}, this Threadwell knows {len(migrations())}:"
                " it was written by a newer Threadwell"
            )
        for sql in migrations()[version:]:
            connection.execute(sql)
        if version == 0:
            connection.execute(
                "INSERT INTO setting VALUES ('secret', ?), ('index', ?)",
                (secrets.token_bytes(16), b"0"),
            )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations())}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def state(connection: apsw.Connection) -> tuple[int, int]:
    """Whose database it is (``PRAGMA application_id``), and the version of its schema."""
    ((application,),) = fetch(connection, "PRAGMA application_id")
    ((version,),) = fetch(connection, "PRAGMA user_version")
    return application, version


def _tables(connection: apsw.Connection) -> int:
    ((tables,),) = fetch(connection, "SELECT count(*) FROM sqlite_schema")
    return int(tables)
