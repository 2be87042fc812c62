"""The search parameters of a project in its database, and the index brought in line with them."""

from __future__ import annotations

from typing import Any

from threadwell.stores.parameters import Changing, Parameters, read_parameters, write_parameters
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.named import still
from threadwell.stores.postgres.rows import beginning, text_bytes
from threadwell.stores.sql.indexing import (
    SLICE,
    kept_name,
    lagging,
    turn_name,
)
from threadwell.stores.sql.keys import Keys

_VALUE = "SELECT value FROM setting WHERE name = $1"
_KEEP = (
    "INSERT INTO setting VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_RESOURCES = """
SELECT rid, updated, body, present FROM resource
WHERE pid = $1 AND rid > $2 AND rid <= $3 AND type = ANY($4::text[]) AND NOT deleted
ORDER BY rid FOR NO KEY UPDATE
"""
_CHANGES = (
    "DELETE FROM posting WHERE pid = $1 AND key = $2 AND sort = $3 AND rid = $4",
    "INSERT INTO posting VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    "DELETE FROM folded WHERE pid = $1 AND key = $2 AND rid = $3 AND beginning = $4 AND text = $5",
    "INSERT INTO folded (pid, key, rid, beginning, text)"
    " SELECT $1::int, $2::bigint, $3::bigint, $4::bytea, $5::bytea WHERE NOT EXISTS (SELECT FROM"
    " folded WHERE pid = $1 AND key = $2 AND rid = $3 AND beginning = $4 AND text = $5)",
    "UPDATE resource SET present = $3 WHERE pid = $1 AND rid = $2",
)


async def turn(connection: Connection, project: str) -> int:
    """How often they have changed."""
    return int(await connection.fetchval(_VALUE, turn_name(project)) or 0)


async def parameters(connection: Connection, project: str) -> Parameters:
    """Those of a project."""
    return read_parameters(await connection.fetchval(_VALUE, kept_name(project)))


async def take_turn(connection: Connection, keys: Keys, project: str) -> None:
    """Wait until nobody else is about to commit to the project (``news.numbering``)."""
    lock = keys.key(f"{project}\0change")
    await connection.execute(f"SELECT pg_advisory_xact_lock({lock})")


async def change(
    connection: Connection, keys: Keys, project: str, changing: Changing
) -> Parameters:
    """Change them, within the transaction that is open."""
    await take_turn(connection, keys, project)
    before = await parameters(connection, project)
    after = changing(before)
    if after != before:
        await keep(connection, project, after)
    return after


def still_at(project: str, turn: int, *, named: bool = False) -> str:
    """A statement that fails (``DivisionByZeroError``) where they have changed since that turn;
    ``named`` as in ``named.lock``.
    """
    return still(turn_name(project), str(turn).encode(), named=named)


async def index_slice(connection: Connection, keys: Keys, project: str, pid: int) -> Parameters:
    """Bring some resources in line, within the transaction that is open; the answer is what there
    is to do after it.
    """
    if (await parameters(connection, project)).fading:
        return await change(connection, keys, project, Parameters.faded)
    kept = await connection.fetchval(f"{_VALUE} FOR UPDATE", kept_name(project))
    now = read_parameters(kept)
    if not now.pending:
        return now
    ends = "SELECT coalesce(min(rid), 0), coalesce(max(rid), 0) FROM resource WHERE pid = $1"
    begin, end = await connection.fetchrow(ends, pid)
    first = max(now.after, begin - 1)
    last = first + SLICE
    rows = await connection.fetch(_RESOURCES, pid, first, last, sorted(now.pending))
    changes: tuple[list[tuple[Any, ...]], ...] = ([], [], [], [], [])
    removed, added, texts_removed, texts_added, marks = changes
    for rid, updated, body, present in rows:
        less, more = lagging(keys, project, now, body, updated)
        removed += [(pid, *posting) for posting in less.postings(rid)]
        added += [(pid, *posting) for posting in more.postings(rid)]
        for found, into in ((less, texts_removed), (more, texts_added)):
            texts = [(key, text_bytes(text)) for key, text in found.texts]
            into += [(pid, key, rid, beginning(text), text) for key, text in texts]
        if more.present != present:
            marks.append((pid, rid, more.present))
    for sql, values in zip(_CHANGES, changes, strict=True):
        if values:
            await connection.executemany(sql, sorted(values))
    if last >= end:
        return await change(connection, keys, project, Parameters.finished)
    after = Parameters(now.turn, now.listed, last)
    await keep(connection, project, after)
    return after


def keeping(project: str, now: Parameters) -> str:
    """The statements that keep them."""
    values = (
        (kept_name(project), write_parameters(now)),
        (turn_name(project), str(now.turn).encode()),
    )
    return " ".join(
        f"INSERT INTO setting VALUES ('{name}', '\\x{value.hex()}'::bytea)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value;"
        for name, value in values
    )


async def keep(connection: Connection, project: str, now: Parameters) -> None:
    """Keep them, within the transaction that is open."""
    await connection.execute(_KEEP, kept_name(project), write_parameters(now))
    await connection.execute(_KEEP, turn_name(project), str(now.turn).encode())
