"""Rows as resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from threadwell.stores.contract import Stored

#: What ``row_to_stored`` takes, of the table ``resource r``.
COLUMNS = "r.type, r.id, r.version_id, r.updated, r.deleted, r.body, r.author"

#: The current version by id, type and project.
READ = f"SELECT {COLUMNS} FROM resource r WHERE r.id = ? AND r.type = ? AND r.pid = ?"


def fetch(
    connection: apsw.Connection, sql: str, params: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Every row of a statement. One that isn't read to its end would hold an old snapshot."""
    return connection.execute(sql, params).fetchall()


def row_to_stored(row: tuple[Any, ...]) -> Stored:
    """The version that a row of ``COLUMNS`` holds."""
    type_, id_, version_id, updated, deleted, body, author = row
    return Stored(type_, id_, version_id, updated, bool(deleted), body, author)
