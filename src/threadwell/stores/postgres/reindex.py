"""Makes the index of a database anew: after a change of what the index holds, or of extraction."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import asyncpg

from threadwell.stores.postgres.rows import beginning, text_bytes
from threadwell.stores.sql.bases import SETTING, Bases, read_bases
from threadwell.stores.sql.entries import (
    INDEX_VERSION,
    TOLD,
    Entries,
    entries_of_body,
    is_current,
    lacking,
)
from threadwell.stores.sql.indexing import KEPT, know_all
from threadwell.stores.sql.keys import Keys

_AT_ONCE = 1000

_log = logging.getLogger(__name__)


async def reindex_if_old(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Bring the index to ``INDEX_VERSION``, all at once or not at all.

    Searches see the old index until the new one is whole; writes of other processes wait.
    Raises ``StoreError`` where a newer Threadwell has made it.
    """
    if is_current(await _version(connection)):
        return
    async with connection.transaction():
        await connection.execute("LOCK TABLE resource IN SHARE ROW EXCLUSIVE MODE")
        if is_current(version := await _version(connection)):
            return
        types = lacking(version)
        if types is None:
            resources = await connection.fetchval("SELECT count(*) FROM resource")
            if resources >= _AT_ONCE:
                _log.warning(TOLD, resources)
            await _reindex(connection)
        else:
            await _add(connection, types)
        await connection.execute(
            "UPDATE setting SET value = $1 WHERE name = 'index'", str(INDEX_VERSION).encode()
        )


async def _version(connection: asyncpg.Connection[asyncpg.Record]) -> bytes | None:
    version: bytes | None = await connection.fetchval(
        "SELECT value FROM setting WHERE name = 'index'"
    )
    return version


async def _keys(connection: asyncpg.Connection[asyncpg.Record]) -> Keys:
    settings = dict(await connection.fetch("SELECT name, value FROM setting"))
    keys = Keys(settings["secret"], Bases(read_bases(settings.get(SETTING))))
    know_all(keys, {name: value for name, value in settings.items() if name.startswith(KEPT)})
    return keys


async def _add(connection: asyncpg.Connection[asyncpg.Record], types: tuple[str, ...]) -> None:
    """Write what is lacking of resources of these types."""
    async for found in _entries(connection, types):
        postings = sorted((pid, *one) for pid, rid, e in found for one in e.postings(rid))
        await connection.execute(
            "INSERT INTO posting (pid, key, sort, rid)"
            " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
            " ON CONFLICT DO NOTHING",
            *([posting[at] for posting in postings] for at in range(4)),
        )


async def _reindex(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.execute("DELETE FROM posting; DELETE FROM folded")
    async for found in _entries(connection):
        await connection.copy_records_to_table(
            "posting",
            records=sorted((pid, *posting) for pid, rid, e in found for posting in e.postings(rid)),
        )
        texts = [(p, k, r, text_bytes(t)) for p, r, e in found for k, t in e.texts]
        await connection.copy_records_to_table(
            "folded", records=[(p, k, r, beginning(t), t) for p, k, r, t in texts]
        )
        await connection.executemany(
            "UPDATE resource SET present = $3, sort = $4 WHERE pid = $1 AND rid = $2",
            [(pid, rid, e.present, e.sort) for pid, rid, e in found],
        )


async def _entries(
    connection: asyncpg.Connection[asyncpg.Record], types: tuple[str, ...] | None = None
) -> AsyncIterator[list[tuple[int, int, Entries]]]:
    """The resources by project and number, of some ``types`` or of all, with what they are found
    by.
    """
    keys = await _keys(connection)
    last = (0, 0)
    of_types = "" if types is None else " AND r.type = ANY($4::text[])"
    while rows := await connection.fetch(
        "SELECT r.pid, r.rid, p.name, r.updated, r.body"
        " FROM resource r JOIN project p ON p.pid = r.pid"
        f" WHERE (r.pid, r.rid) > ($1, $2){of_types} AND NOT r.deleted"
        " ORDER BY r.pid, r.rid LIMIT $3",
        *last,
        _AT_ONCE,
        *(() if types is None else (types,)),
    ):
        last = rows[-1][0], rows[-1][1]
        yield [
            (pid, rid, entries_of_body(keys, name, body, updated))
            for pid, rid, name, updated, body in rows
        ]
