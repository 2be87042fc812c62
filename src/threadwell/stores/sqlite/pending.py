"""Rows that wait to be written in bulk: gathered by statement, written many by each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import apsw

#: Rows that are written at a time.
_PART = 5000
#: Rows of one statement.
_TOGETHER = 100


@dataclass(slots=True)
class PendingRows:
    """Rows that are yet to be written, by statement."""

    created: list[tuple[Any, ...]] = field(default_factory=list)
    superseded: list[tuple[int]] = field(default_factory=list)
    updated: list[tuple[Any, ...]] = field(default_factory=list)
    contents: list[tuple[int, str, bytes]] = field(default_factory=list)
    postings_removed: list[tuple[int, int, int]] = field(default_factory=list)
    postings_added: list[tuple[int, int, int]] = field(default_factory=list)
    texts_removed: list[tuple[int, str, int]] = field(default_factory=list)
    texts_added: list[tuple[int, str, int]] = field(default_factory=list)
    changes: list[tuple[int, int, int, int]] = field(default_factory=list)
    emptied: list[tuple[int]] = field(default_factory=list)
    rids: set[int] = field(default_factory=set)
    updated_types: set[str] = field(default_factory=set)
    _keys: set[int] = field(default_factory=set)
    _keyed: int = 0

    def keys_added(self) -> set[int]:
        """The lists that get entries; each entry is looked at once, however often this is asked."""
        self._keys.update([key for key, _, _ in self.postings_added[self._keyed :]])
        self._keyed = len(self.postings_added)
        return self._keys

    def writing(self, connection: apsw.Connection) -> Iterator[None]:
        """Write all of it: after each part that has many others may have their turn."""
        # By the lists of the index: neighbours go to one page while it is at hand.
        self.postings_added.sort(key=itemgetter(0))
        written = 0
        for sql, waiting in _statements(self):
            for at in range(0, len(waiting), _PART):
                part = waiting[at : at + _PART] if len(waiting) > _PART else waiting
                if sql.startswith("INSERT OR "):
                    _insert(connection, sql, part)
                else:
                    connection.executemany(sql, part)
                written += len(part)
                if written >= _PART:
                    yield
                    written = 0


def _insert(connection: apsw.Connection, sql: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows, many by a statement.

    To begin and end one costs a fourth of what it takes to add an entry to the index; and it
    gives other threads Python's lock, which takes long to come back from them.
    """
    many = len(rows) - len(rows) % _TOGETHER
    if many:
        columns = len(rows[0])
        values = list(chain.from_iterable(rows[:many]))
        width = columns * _TOGETHER
        runs = [values[at : at + width] for at in range(0, len(values), width)]
        connection.executemany(_together(sql, columns), runs)
        rows = rows[many:]
    connection.executemany(sql, rows)


@cache
def _together(sql: str, columns: int) -> str:
    """What inserts ``_TOGETHER`` rows as ``sql`` inserts one."""
    return sql + f", ({', '.join('?' * columns)})" * (_TOGETHER - 1)


def _statements(rows: PendingRows) -> Iterable[tuple[str, list[Any]]]:
    """What writes the rows, in the order in which it has to be done.

    Where one fails, the whole transaction is rolled back: none has to undo what it has done of its
    many rows by itself (``OR FAIL``). For that SQLite would copy each page that it changes into a
    temporary file. It does so for many rows of ``resource`` in any case, as these are told their
    numbers, so they are written one by one.
    """
    return (
        ("DELETE FROM resource WHERE rid = ?", rows.emptied),
        (
            "INSERT INTO version SELECT rid, number, version_id, updated, deleted, author, body"
            " FROM resource WHERE rid = ?",
            rows.superseded,
        ),
        (
            "UPDATE resource SET number = ?, version_id = ?, updated = ?, deleted = ?,"
            " present = ?, sort = ?, author = ?, body = ? WHERE rid = ?",
            rows.updated,
        ),
        ("INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows.created),
        ("INSERT OR FAIL INTO content VALUES (?, ?, ?)", rows.contents),
        ("DELETE FROM posting WHERE key = ? AND sort = ? AND rid = ?", rows.postings_removed),
        ("INSERT OR IGNORE INTO posting VALUES (?, ?, ?)", rows.postings_added),
        ("DELETE FROM text WHERE key = ? AND folded = ? AND rid = ?", rows.texts_removed),
        ("INSERT OR IGNORE INTO text VALUES (?, ?, ?)", rows.texts_added),
        ("INSERT OR FAIL INTO change VALUES (?, ?, ?, ?)", rows.changes),
    )
