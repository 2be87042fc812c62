"""Schemas of empty stores on a server of ours, lent to one test after the other.

To make the tables of a store takes PostgreSQL many times as long as to empty them.
"""

from __future__ import annotations

import asyncio
from itertools import count

import asyncpg

import postgres

#: Who still writes to a schema that is given back keeps it.
_PATIENCE = "SET lock_timeout = '1s'"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migration'"
_KEPT = "WHERE name NOT IN ('secret', 'index')"


class LentSchemas:
    """What ``lend`` names is an empty store, or none yet; ``take_back`` empties it."""

    def __init__(self, server: postgres.Server) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._names = count()
        self._free: list[str] = []

    def lend(self) -> str:
        """The name of a schema that nobody else has."""
        return self._free.pop() if self._free else f"lent{next(self._names)}"

    def take_back(self, schema: str) -> None:
        """Empty a schema that is used no more. One that cannot be emptied is not lent again."""
        try:
            self._runner.run(self._empty(schema))
        except asyncpg.PostgresError:
            return
        self._free.append(schema)

    def close(self) -> None:
        """Let go of the server."""
        if self._connection is not None:
            self._runner.run(self._connection.close())
        self._runner.close()

    async def _empty(self, schema: str) -> None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._server.url())
        await empty(self._connection, schema)


async def empty(connection: asyncpg.Connection[asyncpg.Record], schema: str) -> None:
    """Make a store empty, or leave it as it is if there is none yet."""
    await connection.execute(_PATIENCE)
    tables = [row[0] for row in await connection.fetch(_TABLES, schema)]
    if not tables:
        return
    statements = [
        f"DELETE FROM {schema}.{table} {_KEPT if table == 'setting' else ''}" for table in tables
    ]
    statements += [
        f"SELECT setval('{schema}.rid', 1, false)",
        f"SELECT setval(pg_get_serial_sequence('{schema}.project', 'pid'), 1, false)",
    ]
    await connection.execute(";".join(statements))
