"""What stands around the matches of a search: resources by key, version or name, and what refers to
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadwell.stores.contract import Stored
from threadwell.stores.including import Asked, Current, Named, Referring, VersionKey, Versions
from threadwell.stores.postgres.database import Connection, storable
from threadwell.stores.postgres.reads import read_keys
from threadwell.stores.postgres.rows import COLUMNS, bounded, stored, with_bodies
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.links import naming_keys, referring_keys

_IN_LISTS = f"""
SELECT {COLUMNS} FROM (
  SELECT DISTINCT rid FROM posting WHERE pid = $1 AND key = ANY($2::bigint[]) ORDER BY rid LIMIT $3
) d CROSS JOIN LATERAL (SELECT * FROM resource r WHERE r.pid = $1 AND r.rid = d.rid LIMIT 1) r
ORDER BY d.rid
"""
_VERSIONS = """
SELECT f.* FROM unnest($2::text[], $3::text[], $4::text[]) AS k(type, id, version_id)
CROSS JOIN LATERAL
  (SELECT * FROM resource r WHERE r.pid = $1 AND r.id = k.id AND r.type = k.type LIMIT 1) r
CROSS JOIN LATERAL (
  SELECT r.type, r.id, r.version_id, r.updated, r.deleted, r.body, r.author
  WHERE r.version_id = k.version_id
  UNION ALL
  SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author FROM version v
  WHERE v.pid = $1 AND v.rid = r.rid AND v.version_id = k.version_id
) f
"""
_FILLED = """
SELECT k.key FROM unnest($2::bigint[]) AS k(key)
WHERE EXISTS (SELECT FROM posting p WHERE p.pid = $1 AND p.key = k.key OFFSET 0)
"""
#: More bytes than there are.
_EVER = 2**62


async def answer(
    connection: Connection, keys: Keys, project: str, pid: int, asked: Asked
) -> list[Stored]:
    """What is asked for, of a project by its name and its number."""
    ask, most = asked
    match ask:
        case Current(wanted):
            there = [key for key in wanted if storable(*key)]
            found = await read_keys(connection, pid, there, most)
        case Versions(versions):
            found = await _versions(connection, pid, versions, most)
        case Named(types, urls):
            lists = naming_keys(keys, project, types, urls)
            found = await _fetch(connection, _IN_LISTS, most, pid, lists, None)
        case Referring(limit=limit):
            lists = referring_keys(keys, project, ask)
            found = await _fetch(connection, _IN_LISTS, most, pid, lists, limit)
    return [version for version in found if not version.deleted]


async def filled(connection: Connection, pid: int, lists: Sequence[int]) -> set[int]:
    """Those of the lists that hold anything."""
    if not lists:
        return set()
    return {row[0] for row in await connection.fetch(_FILLED, pid, lists)}


async def _fetch(connection: Connection, sql: str, most: int | None, *params: Any) -> list[Stored]:
    limit = f"${len(params) + 1}::bigint"
    rows = await connection.fetch(bounded(sql, limit), *params, _EVER if most is None else most)
    return stored(with_bodies(rows))


async def _versions(
    connection: Connection, pid: int, versions: Sequence[VersionKey], most: int | None
) -> list[Stored]:
    wanted = [key for key in versions if storable(*key)]
    if not wanted:
        return []
    types, ids, numbers = zip(*wanted, strict=True)
    return await _fetch(connection, _VERSIONS, most, pid, types, ids, numbers)
