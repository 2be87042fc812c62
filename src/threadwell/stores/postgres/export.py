"""Everything that a project has, in order: what a copy of the store is made from."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from threadwell.stores.contract import Position, Version
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.rows import COLUMNS, stored

#: So many bytes are told at once, and what goes beyond them with the last version.
_AT_ONCE = 8_000_000
#: Resources that are looked at together.
_RESOURCES = 200

_RIDS = """
SELECT rid, number FROM resource WHERE pid = $1 AND rid >= $2 AND (rid > $2 OR number > $3)
  AND version_id <> ''
ORDER BY rid LIMIT $4
"""
_SIZES = """
SELECT s.rid, s.number, s.size + coalesce(octet_length(c.bytes), 0) AS size FROM (
  SELECT rid, number, version_id, octet_length(body) AS size FROM resource
  WHERE pid = $1 AND rid = ANY($2::bigint[])
  UNION ALL
  SELECT rid, number, version_id, octet_length(body) FROM version
  WHERE pid = $1 AND rid = ANY($2::bigint[])
) s
LEFT JOIN content c ON c.pid = $1 AND c.rid = s.rid AND c.version_id = s.version_id
ORDER BY s.rid, s.number
"""
_VERSIONS = f"""
SELECT v.*, c.bytes FROM (
  SELECT {COLUMNS}, r.rid, r.number FROM resource r WHERE r.pid = $1 AND r.rid = ANY($2::bigint[])
  UNION ALL
  SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author, v.rid, v.number
  FROM version v JOIN resource r USING (pid, rid) WHERE v.pid = $1 AND v.rid = ANY($2::bigint[])
) v
LEFT JOIN content c ON c.pid = $1 AND c.rid = v.rid AND c.version_id = v.version_id
WHERE (v.rid, v.number) > ($3, $4) AND (v.rid, v.number) <= ($5, $6)
ORDER BY v.rid, v.number
"""


async def versions(connection: Connection, pid: int, after: Position, count: int) -> list[Version]:
    """Some of the versions that follow ``after``; ``[]`` if none do."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await connection.fetch(_RIDS, pid, *after, min(count, _RESOURCES))
        rids = [row["rid"] for row in found]
        last = _last(await connection.fetch(_SIZES, pid, rids), after, count)
        if last is None:
            return []
        rows = await connection.fetch(_VERSIONS, pid, rids, *after, *last)
    kept = zip(rows, stored(rows), strict=True)
    return [Version(Position(row["rid"], row["number"]), one, row["bytes"]) for row, one in kept]


def _last(sizes: Iterable[asyncpg.Record], after: Position, count: int) -> Position | None:
    """Up to which version to tell; ``None`` where there is none to tell."""
    last, told, size = None, 0, 0
    for row in sizes:
        position = Position(row["rid"], row["number"])
        if position > after:
            last, told, size = position, told + 1, size + row["size"]
            if told == count or size > _AT_ONCE:
                break
    return last
