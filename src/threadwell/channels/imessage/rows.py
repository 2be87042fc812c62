"""The rows of the tables, read side by side in the order of the messages' numbers.

Which of the columns there are depends on the release of the system: one that is missing is as one
that holds nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from threadwell.channels.imessage.database import columns_of

_COLUMNS = (
    *("guid", "text", "attributedBody", "handle_id", "service", "account", "date", "is_from_me"),
    *("item_type", "destination_caller_id", "associated_message_type", "associated_message_guid"),
    *("date_edited", "message_summary_info", "thread_originator_guid", "balloon_bundle_id"),
    *("error", "is_sent", "is_spam", "group_action_type", "other_handle"),
)
_FILE_COLUMNS = ("filename", "transfer_name", "mime_type", "hide_attachment")


class StoredFile(NamedTuple):
    """A row of ``attachment``."""

    filename: str
    transfer_name: str
    mime_type: str
    hidden: bool


@dataclass(slots=True)
class Row:
    """A message: its number, its columns by name, the chats that it is in, and its files.

    ``deleted`` says that it is among what was deleted of late, and is in a chat no more.
    """

    number: int
    columns: dict[str, Any]
    chats: list[int]
    files: list[StoredFile]
    deleted: bool = False

    def text(self, column: str) -> str:
        """A column as text; ``""`` where it holds nothing, or no text."""
        value = self.columns.get(column)
        return value if isinstance(value, str) else ""

    def number_in(self, column: str) -> int:
        """A column as a number; 0 where it holds nothing, or no number."""
        value = self.columns.get(column)
        return int(value) if isinstance(value, int | float) and isfinite(value) else 0

    def blob(self, column: str) -> bytes:
        """A column as bytes; none where it holds none."""
        value = self.columns.get(column)
        return value if isinstance(value, bytes) else b""


def read_rows(database: sqlite3.Connection) -> Iterator[Row]:
    """Every row of ``message``. Raises ``FAILURES`` where the database is damaged."""
    wanted = [name for name in _COLUMNS if name in columns_of(database, "message")]
    chosen = "".join(f", {name}" for name in wanted)
    rows = database.execute(f"SELECT ROWID{chosen} FROM message ORDER BY ROWID")  # noqa: S608
    chats = _Beside(_joined(database, "chat_message_join", "chat_id"))
    deleted = _Beside(_joined(database, "chat_recoverable_message_join", "chat_id"))
    files = _Beside(_files(database))
    for number, *values in rows:
        columns = dict(zip(wanted, values, strict=True))
        in_chats = [chat for (chat,) in chats.of(number)]
        recoverable = [chat for (chat,) in deleted.of(number)]
        attached = [StoredFile(*one) for one in files.of(number)]
        is_deleted = bool(recoverable) and not in_chats
        yield Row(number, columns, in_chats or recoverable, attached, is_deleted)


class _Beside:
    """The rows of another table that belong to a message, both in the order of its number."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, number: int) -> Iterator[tuple[Any, ...]]:
        while self._next is not None and self._next[0] <= number:
            if self._next[0] == number:
                yield self._next[1:]
            self._next = next(self._rows, None)


def _joined(database: sqlite3.Connection, table: str, column: str) -> Iterator[tuple[Any, ...]]:
    if not columns_of(database, table) >= {"message_id", column}:
        return iter(())
    return database.execute(
        f"SELECT message_id, {column} FROM {table} WHERE typeof(message_id) = 'integer' "  # noqa: S608
        f"AND typeof({column}) = 'integer' ORDER BY message_id, {column}"
    )


def _files(database: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    has = columns_of(database, "attachment")
    if not columns_of(database, "message_attachment_join") >= {"message_id", "attachment_id"}:
        return
    if "filename" not in has:
        return
    chosen = ", ".join(f"a.{name}" if name in has else "NULL" for name in _FILE_COLUMNS)
    for number, *values, hidden in database.execute(
        f"SELECT j.message_id, {chosen} FROM message_attachment_join j "  # noqa: S608
        "JOIN attachment a ON a.ROWID = j.attachment_id "
        "WHERE typeof(j.message_id) = 'integer' ORDER BY j.message_id, j.attachment_id"
    ):
        texts = [one if isinstance(one, str) else "" for one in values]
        yield (number, *texts, bool(hidden))
