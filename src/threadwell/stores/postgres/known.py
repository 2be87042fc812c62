"""Takes a FHIR base for one of our own: what refers to something below it is put into the index
anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.fhir.json import decode
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.surroundings import filled
from threadwell.stores.sql.bases import SETTING, read_bases, write_bases
from threadwell.stores.sql.entries import difference, entries
from threadwell.stores.sql.keys import Keys, below

_AT_ONCE = 1000
_SETTING = "SELECT value FROM setting WHERE name = $1"
_REFERRING = """
SELECT DISTINCT d.rid FROM posting d WHERE d.pid = $1 AND d.key = ANY($2::bigint[]) AND d.rid > $3
ORDER BY d.rid LIMIT $4
"""
_CURRENT = """
SELECT rid, updated, body FROM resource
WHERE pid = $1 AND rid = ANY($2::bigint[]) AND NOT deleted ORDER BY rid FOR NO KEY UPDATE
"""
_REMOVE = "DELETE FROM posting WHERE pid = $1 AND key = $2 AND sort = $3 AND rid = $4"
_ADD = "INSERT INTO posting VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"


async def read_known(connection: Connection) -> frozenset[str]:
    """The bases that the database's resources are known under."""
    return read_bases(await connection.fetchval(_SETTING, SETTING))


async def is_known(connection: Connection, keys: Keys) -> bool:
    """Whether all bases of ``keys`` are, and nothing in the index is older than that."""
    own = keys.bases.own
    if not own <= await read_known(connection):
        return False
    for pid, name in await connection.fetch("SELECT pid, name FROM project"):
        if await filled(connection, pid, [keys.key(below(name, base)) for base in own]):
            return False
    return True


async def know(connection: Connection, keys: Keys) -> None:
    """Keep the bases of ``keys``, and index anew what refers to something below one of them."""
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO setting VALUES ($1, $2) ON CONFLICT DO NOTHING", SETTING, write_bases(())
        )
        # Others that add some wait here.
        kept = read_bases(await connection.fetchval(f"{_SETTING} FOR UPDATE", SETTING))
        keys.bases.own |= kept
        await connection.execute(
            "UPDATE setting SET value = $2 WHERE name = $1", SETTING, write_bases(keys.bases.own)
        )
        for pid, name in await connection.fetch("SELECT pid, name FROM project"):
            await _index_anew(connection, keys, pid, name)


async def _index_anew(connection: Connection, keys: Keys, pid: int, project: str) -> None:
    lists = [keys.key(below(project, base)) for base in keys.bases.own]
    last = -1
    while rids := [r[0] for r in await connection.fetch(_REFERRING, pid, lists, last, _AT_ONCE)]:
        last = rids[-1]
        removed: list[tuple[int, int, int, int]] = []
        added: list[tuple[int, int, int, int]] = []
        for rid, updated, body in await connection.fetch(_CURRENT, pid, rids):
            resource = decode(body)
            now = entries(keys, project, resource, updated)
            less, more = difference(keys, project, resource, updated, now)
            removed += _rows(pid, less.postings(rid))
            added += _rows(pid, more.postings(rid))
        await connection.executemany(_REMOVE, sorted(removed))
        await connection.executemany(_ADD, sorted(added))


def _rows(
    pid: int, postings: Iterable[tuple[int, int, int]]
) -> Iterable[tuple[int, int, int, int]]:
    return [(pid, *posting) for posting in postings]
