"""Brings a database to the present schema, once, however many processes start at a time.

Each file of ``schema/`` is one step, in the order of its number. A step must not keep anyone from
a big table for long: it adds columns without a default that has to be computed, and makes an
index by ``CREATE INDEX CONCURRENTLY`` in a file that begins with ``-- apart``, whose single
statement then runs outside of a transaction and must be safe to run again. Each statement ends
with a semicolon at the end of a line.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from functools import cache
from importlib.resources import files
from typing import NamedTuple, TypeAlias
from zlib import crc32

import asyncpg

from threadwell.stores.contract import StoreError
from threadwell.stores.postgres.address import DatabaseAddress
from threadwell.stores.postgres.reindex import reindex_if_old
from threadwell.stores.sql.bases import SETTING, read_bases
from threadwell.stores.sql.indexing import KEPT

_Plain: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_APART = "-- apart"
_LOCK = 0x5468776C
_TRY_AGAIN = 0.05
_STATEMENT = re.compile(r"\S.*?;$", re.DOTALL | re.MULTILINE)
_NODES = "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'resource'::regclass)"


class Ready(NamedTuple):
    """What a database with the present schema is.

    ``secret`` is that of its keys; ``bases`` are those that its resources are known under;
    ``parameters`` are settings of the search parameters of projects; ``nodes`` tells that Citus
    has distributed its tables.
    """

    secret: bytes
    bases: frozenset[str]
    parameters: dict[str, bytes]
    nodes: bool


async def migrate(address: DatabaseAddress) -> Ready:
    """Make what is missing.

    Raises ``StoreError`` for a database that a newer Threadwell has written to or that is not in
    UTF-8, and whatever asyncpg raises.
    """
    # The search path is set by hand, as a pooler would not let it through.
    connection = await asyncpg.connect(address.dsn, statement_cache_size=0, timeout=10)
    try:
        await connection.execute(f"SET search_path = {address.schema}")
        if await _version(connection, address) < len(migrations()):
            await _with_lock(connection, address)
        await reindex_if_old(connection)
        secret: bytes = await connection.fetchval("SELECT value FROM setting WHERE name = 'secret'")
        kept = await connection.fetchval("SELECT value FROM setting WHERE name = $1", SETTING)
        found = await connection.fetch(
            "SELECT name, value FROM setting WHERE starts_with(name, $1)", KEPT
        )
        return Ready(secret, read_bases(kept), dict(found), await _on_nodes(connection))
    finally:
        await connection.close()


@cache
def migrations() -> tuple[str, ...]:
    """The SQL of each schema version, the first at position 0."""
    folder = files(__package__).joinpath("schema")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(folder.joinpath(name).read_text() for name in names)


async def _with_lock(connection: _Plain, address: DatabaseAddress) -> None:
    lock = (_LOCK, crc32(address.schema.encode()) - 2**31)
    # Who waits within a statement would hold up CREATE INDEX CONCURRENTLY; so we ask again.
    while not await connection.fetchval(  # noqa: ASYNC110 - another process holds it
        "SELECT pg_try_advisory_lock($1, $2)", *lock
    ):
        await asyncio.sleep(_TRY_AGAIN)
    try:
        await _bring_up(connection, address)
    finally:
        await connection.execute(f"SELECT pg_advisory_unlock({lock[0]}, {lock[1]})")


async def _bring_up(connection: _Plain, address: DatabaseAddress) -> None:
    version = await _version(connection, address)
    if version == 0:
        encoding = await connection.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            raise StoreError(f"{address.shown} is in {encoding}: make a database in UTF8")
        async with connection.transaction():
            await connection.execute(
                f"CREATE SCHEMA IF NOT EXISTS {address.schema};"
                " CREATE TABLE migration (number integer PRIMARY KEY,"
                " applied timestamptz NOT NULL DEFAULT now())"
            )
            await _apply(connection, 1)
            await connection.execute(
                "INSERT INTO setting VALUES ('secret', $1), ('index', '0')",
                secrets.token_bytes(16),
            )
        version = 1
    for number in range(version + 1, len(migrations()) + 1):
        if migrations()[number - 1].startswith(_APART):
            await _apply(connection, number)
        else:
            async with connection.transaction():
                await _apply(connection, number)


async def _apply(connection: _Plain, number: int) -> None:
    # One at a time: Citus passes a message on to its nodes as a whole, which take one statement.
    for statement in _STATEMENT.findall(migrations()[number - 1]):
        await connection.execute(statement)
    await connection.execute("INSERT INTO migration (number) VALUES ($1)", number)


async def _on_nodes(connection: _Plain) -> bool:
    if await connection.fetchval("SELECT to_regclass('pg_catalog.pg_dist_partition')") is None:
        return False
    return bool(await connection.fetchval(_NODES))


async def _version(connection: _Plain, address: DatabaseAddress) -> int:
    if await connection.fetchval("SELECT to_regclass($1)", f"{address.schema}.migration") is None:
        return 0
    version: int = await connection.fetchval("SELECT coalesce(max(number), 0) FROM migration")
    if version > len(migrations()):
        raise StoreError(
            f"{address.shown} has schema version {version}, this Threadwell knows"
            f" {len(migrations())}: it was written by a newer Threadwell"
        )
    return version
