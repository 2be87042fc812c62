"""Opens a database of messages so that nothing beside it changes.

Messages that came last stand in the log beside the database (``-wal``) until SQLite takes them in.
To read a log, SQLite wants to write: so database and log are copied to where it may.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile
from urllib.parse import quote

MAGIC = b"SQLite format 3\0"
#: How reading a damaged database fails. What SQLite says of one may hold bytes of it that are no
#: text, and then Python cannot even tell.
FAILURES = (sqlite3.Error, OverflowError, UnicodeDecodeError)
#: The tables that make a database one of messages.
_TABLES = {"message", "handle", "chat", "chat_message_join"}
#: How it is called on a Mac, on an iPhone, and in a backup of one.
_NAMES = ("chat.db", "sms.db", "3d0d7e5fb2ce288813306e4d4636395e047a3d28")
#: No text or file that is kept in the database itself is longer.
_LONGEST = 256 * 1024 * 1024


def is_store(head: bytes, path: Path) -> bool:
    """Whether a file that begins with ``head`` is such a database.

    The tables stand anywhere in it. Of one within an archive only the beginning is there, and its
    name.
    """
    if not head.startswith(MAGIC):
        return False
    if not path.is_file():
        return path.name in _NAMES or b"chat_message_join" in head
    try:
        with closing(_connected(path, "immutable=1")) as found:
            if _has_tables(found):
                return True
        if not _log(path):
            return False
        with opened(path) as found:
            return _has_tables(found)
    except (OSError, *FAILURES):
        return False


def is_encrypted(head: bytes, path: Path) -> bool:
    """Whether a file lies where a backup of an iPhone has its messages, and is no database."""
    return path.name == _NAMES[-1] and not head.startswith(MAGIC)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, with all that its log holds. Raises ``FAILURES`` and ``OSError``."""
    log = _log(path)
    if log is None:
        with closing(_connected(path, "immutable=1")) as found:
            yield found
        return
    with tempfile.TemporaryDirectory(prefix="threadwell-") as folder:
        copy = Path(folder) / "messages.db"
        copyfile(path, copy)
        copyfile(log, copy.with_name(f"{copy.name}-wal"))
        with closing(_connected(copy, "mode=rw")) as found:
            yield found


def columns_of(database: sqlite3.Connection, table: str) -> frozenset[str]:
    """The columns that a table has: every release of the system has its own. Empty for no table."""
    named = database.execute("SELECT name FROM pragma_table_info(?)", (table,))
    is_table = database.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    )
    return frozenset(name for (name,) in named) if is_table.fetchone() else frozenset()


def _log(path: Path) -> Path | None:
    log = path.with_name(f"{path.name}-wal")
    return log if log.is_file() and log.stat().st_size else None


def _has_tables(database: sqlite3.Connection) -> bool:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found} >= _TABLES


def _connected(path: Path, how: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?{how}"
    database = sqlite3.connect(uri, uri=True, isolation_level=None)
    # What a stranger's schema calls may do nothing but compute.
    database.execute("PRAGMA trusted_schema = OFF")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return database
