"""Rows of what is expunged: taken away, and written over where they stood.

What is left of a resource is one row with its type and id, and without a version: it stands for the
last of its changes, by which those who follow hear of it, and its number is given to nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import apsw

from threadwell.stores.sqlite.rows import fetch


@contextmanager
def overwriting(connection: apsw.Connection) -> Iterator[None]:
    """What is removed meanwhile is overwritten with zeros in the file, and not only free to be
    written over.
    """
    ((was,),) = fetch(connection, "PRAGMA secure_delete")
    fetch(connection, "PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        fetch(connection, f"PRAGMA secure_delete = {int(was)}")


def expunge_rows(connection: apsw.Connection, changes: Sequence[tuple[int, int, int, int]]) -> None:
    """Take away all versions and contents; ``changes`` are rows of that table, one a resource."""
    for sql in (
        "DELETE FROM version WHERE rid = ?1",
        "DELETE FROM content WHERE rid = ?1",
        "UPDATE resource SET number = ?2, version_id = '', present = 0, sort = 0,"
        " author = '', body = x'' WHERE rid = ?1",
    ):
        one = "?2" not in sql
        connection.executemany(sql, (row[2:3] if one else row[2:] for row in changes))
    connection.executemany("INSERT INTO change VALUES (?, ?, ?, ?)", changes)
