"""Rows as resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw

from threadwell.stores.contract import Key, Stored
from threadwell.stores.sqlite.render import as_json

#: What ``row_to_stored`` takes, of the table ``resource r``.
COLUMNS = "r.type, r.id, r.version_id, r.updated, r.deleted, r.body, r.author"

#: The current version by id, type and project. What was expunged has no version.
READ = (
    f"SELECT {COLUMNS} FROM resource r"
    " WHERE r.id = ? AND r.type = ? AND r.pid = ? AND r.version_id <> ''"
)
#: The same of many of one type: ids as a JSON array, type and project.
_READ_MANY = (
    f"SELECT {COLUMNS} FROM json_each(?) k CROSS JOIN resource r"
    " ON r.id = k.value AND r.type = ? AND r.pid = ? WHERE r.version_id <> ''"
)
#: From so many resources of a type on, one statement finds them in less time than one for each.
_MANY = 8
#: One version, current or not, by id, type, project and version.
READ_VERSION = f"""
SELECT {COLUMNS} FROM resource r
WHERE r.id = ?1 AND r.type = ?2 AND r.pid = ?3 AND r.version_id = ?4
UNION ALL
SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author
FROM resource r CROSS JOIN version v ON v.rid = r.rid AND v.version_id = ?4
WHERE r.id = ?1 AND r.type = ?2 AND r.pid = ?3
"""

#: What ``Found.again`` asks for, of current versions by their numbers.
READ_FOUND = """
SELECT r.id, r.version_id, r.updated, r.body, r.author
FROM json_each(?) k CROSS JOIN resource r ON r.rid = k.value
"""
#: Every version of a resource, the one that holds now among them.
VERSIONS = f"""
SELECT type, id, version_id, updated, deleted, body, author FROM (
  SELECT {COLUMNS}, r.number FROM resource r WHERE r.rid = ?1
  UNION ALL
  SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author, v.number
  FROM version v JOIN resource r USING (rid) WHERE v.rid = ?1
)
"""


def fetch(
    connection: apsw.Connection, sql: str, params: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Every row of a statement. One that isn't read to its end would hold an old snapshot."""
    return connection.execute(sql, params).fetchall()


def fetch_bounded(
    connection: apsw.Connection, sql: str, params: Sequence[Any], most: int | None, *, body: int
) -> tuple[list[tuple[Any, ...]], bool]:
    """The rows of a statement up to the one by whose body they reach ``most`` bytes, and whether
    more follow. ``body`` is where a row has its body.
    """
    if most is None:
        return fetch(connection, sql, params), False
    rows: list[tuple[Any, ...]] = []
    add = rows.append
    cursor = connection.execute(sql, params)
    for row in cursor:
        if most <= 0:
            cursor.close(force=True)
            return rows, True
        add(row)
        most -= len(row[body])
    return rows, False


def row_to_stored(row: tuple[Any, ...]) -> Stored:
    """The version that a row of ``COLUMNS`` holds."""
    type_, id_, version_id, updated, deleted, body, author = row
    return Stored(type_, id_, version_id, updated, bool(deleted), body, author)


def read_many(connection: apsw.Connection, pid: int, keys: Iterable[Key]) -> dict[Key, Stored]:
    """The current versions of those that are there, deletions included."""
    ids: dict[str, list[str]] = {}
    for key in keys:
        ids.setdefault(key.type, []).append(key.id)
    rows: list[tuple[Any, ...]] = []
    for type_, some in ids.items():
        if len(some) >= _MANY:
            rows += fetch(connection, _READ_MANY, (as_json(some), type_, pid))
        else:
            rows += connection.executemany(READ, [(id_, type_, pid) for id_ in some])
    return {Key(stored.type, stored.id): stored for stored in map(row_to_stored, rows)}


def select_pid(connection: apsw.Connection, project: str) -> int:
    """The number of a project; 0 where nothing was written to it."""
    rows = fetch(connection, "SELECT pid FROM project WHERE name = ?", (project,))
    return int(rows[0][0]) if rows else 0


def index_sizes(connection: apsw.Connection) -> dict[str, tuple[int, int]]:
    """The entries and bytes of each table of the index."""
    sql = (
        "SELECT name, ncell, pgsize FROM dbstat"
        " WHERE aggregate = TRUE AND name IN ('posting', 'text')"
    )
    return {name: (cells, size) for name, cells, size in fetch(connection, sql)}
