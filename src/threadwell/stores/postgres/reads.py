"""Current versions by key. Reads that wait at the same time share one statement."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TypeAlias

from asyncpg import Record

from threadwell.stores.contract import Key, Stored
from threadwell.stores.postgres.database import Connection, Database
from threadwell.stores.postgres.moments import LAST, Moments, dated
from threadwell.stores.postgres.rows import COLUMNS, bounded, stored, with_bodies
from threadwell.stores.postgres.sharing import Sharing

_AT_ONCE = 200
_Asked: TypeAlias = tuple[int, Key]

_FOUND = """
FROM unnest($2::text[], $3::text[]) AS k(type, id)
CROSS JOIN LATERAL
  (SELECT * FROM resource r WHERE r.pid = $1 AND r.id = k.id AND r.type = k.type LIMIT 1) r
WHERE r.version_id <> ''
"""
_READ = f"SELECT {COLUMNS} {_FOUND}"
_BOUNDED = bounded(_READ, "$4::bigint")
_READ_AT = f"SELECT {COLUMNS}, ({LAST}) AS position {_FOUND}"

_BY_RID = dated(
    """
SELECT r.id, r.version_id, r.updated, r.body, r.author, k.n
FROM unnest($2::bigint[]) WITH ORDINALITY AS k(rid, n)
CROSS JOIN LATERAL (SELECT * FROM resource r WHERE r.pid = $1 AND r.rid = k.rid LIMIT 1) r
""",
    "n",
)


async def read_found(
    connection: Connection, pid: int, rids: Sequence[int], moments: Moments
) -> Sequence[Record]:
    """Of current versions by their numbers what ``Found.again`` asks for; ``moments`` is told."""
    return moments.saw_rows(pid, await connection.fetch(_BY_RID, pid, rids))


async def read_keys(
    connection: Connection, pid: int, keys: Sequence[Key], most: int | None = None
) -> list[Stored]:
    """The current versions of those of ``keys`` that ever existed, in no order; no more than reach
    ``most`` bytes.
    """
    types, ids = [key.type for key in keys], [key.id for key in keys]
    if most is None:
        return stored(await connection.fetch(_READ, pid, types, ids))
    return stored(with_bodies(await connection.fetch(_BOUNDED, pid, types, ids, most)))


async def read_at(
    connection: Connection, pid: int, keys: Sequence[Key], moments: Moments
) -> list[Stored]:
    """``read_keys``, which tells ``moments`` of when that was, where that is wanted."""
    if not moments.wanted:
        return await read_keys(connection, pid, keys)
    rows = await connection.fetch(
        _READ_AT, pid, [key.type for key in keys], [key.id for key in keys]
    )
    if rows:
        moments.saw(pid, rows[0]["position"])
    return stored(rows)


class Reads:
    """Current versions of a database's resources, for any number who ask at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sharing: Sharing[_Asked, Stored | None] = Sharing(
            "threadwell-reads", self._read, kind=itemgetter(0), most=_AT_ONCE
        )

    async def read(self, pid: int, key: Key) -> Stored | None:
        """The current version; ``None`` where there never was one."""
        return await self._sharing.ask((pid, key))

    async def close(self) -> None:
        """Finish what waits."""
        await self._sharing.close()

    async def _read(self, asked: Sequence[_Asked]) -> Sequence[Stored | None]:
        pid, keys = asked[0][0], list(dict.fromkeys(key for _, key in asked))
        moments = self._database.moments
        rows = await self._database.run(lambda c: read_at(c, pid, keys, moments))
        found = {(row.type, row.id): row for row in rows}
        return [found.get(key) for _, key in asked]
