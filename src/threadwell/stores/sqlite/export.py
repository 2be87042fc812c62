"""Everything that a project has, in order: what a copy of the store is made from."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import apsw

from threadwell.stores.contract import Position, Version
from threadwell.stores.sqlite.rows import COLUMNS, fetch, row_to_stored

#: So many bytes are told at once, and what goes beyond them with the last version.
_AT_ONCE = 8_000_000

_RESOURCES = f"""
SELECT {COLUMNS}, r.rid, r.number FROM resource r
WHERE r.rid >= ?2 AND (r.rid > ?2 OR r.number > ?3) AND r.pid = ?1
  AND r.version_id <> '' ORDER BY r.rid
"""
_OLDER = """
SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author, v.number
FROM version v JOIN resource r USING (rid) WHERE v.rid = ? AND v.number > ? ORDER BY v.number
"""
_CONTENT = "SELECT bytes FROM content WHERE rid = ? AND version_id = ?"


def versions(connection: apsw.Connection, pid: int, after: Position, count: int) -> list[Version]:
    """Some of the versions that follow ``after``; ``[]`` if none do."""
    found: list[Version] = []
    size = 0
    walk = _walk(connection, pid, after)
    # Resources are looked for by one statement, which must end: it holds an old snapshot open.
    try:
        for version in walk:
            found.append(version)
            size += len(version.stored.body) + len(version.content or b"")
            if len(found) == count or size > _AT_ONCE:
                break
    finally:
        walk.close()
    return found


def _walk(connection: apsw.Connection, pid: int, after: Position) -> Generator[Version, None, None]:
    cursor = connection.cursor()
    try:
        for *current, rid, number in cursor.execute(_RESOURCES, (pid, *after)):
            since = after.number if rid == after.resource else 0
            if number > since + 1:
                for *older, past in connection.execute(_OLDER, (rid, since)):
                    yield _version(connection, rid, past, older)
            yield _version(connection, rid, number, current)
    finally:
        cursor.close(force=True)


def _version(connection: apsw.Connection, rid: int, number: int, columns: Sequence[Any]) -> Version:
    stored = row_to_stored(tuple(columns))
    content = None
    if stored.type == "Binary":
        for (content,) in fetch(connection, _CONTENT, (rid, stored.version_id)):
            assert isinstance(content, bytes)
    return Version(Position(rid, number), stored, content)
