"""What the server keeps for itself."""

from __future__ import annotations

from threadwell.stores.postgres.database import Connection, Database, storable
from threadwell.stores.postgres.faults import FAULTS, attempts, away, store_error

_PATIENCE = 20.0
_GET = "SELECT value FROM private WHERE kind = $1 AND name = $2"
_LIST = "SELECT name, value FROM private WHERE kind = $1 ORDER BY name"
_KINDS = "SELECT DISTINCT kind FROM private ORDER BY kind"
_REMOVE = "DELETE FROM private WHERE kind = $1 AND name = $2"
_PUT = """
INSERT INTO private VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO UPDATE SET value = $3
"""
_PUT_NEW = """
INSERT INTO private VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO NOTHING RETURNING true
"""


class Private:
    """The values of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, kind: str, name: str) -> bytes | None:
        """A value, ``None`` where there is none."""
        if not storable(kind, name):
            return None
        value: bytes | None = await self._database.run(lambda c: c.fetchval(_GET, kind, name))
        return value

    async def list(self, kind: str) -> dict[str, bytes]:
        """Every value of a kind by name."""
        rows = await self._database.run(lambda c: c.fetch(_LIST, kind))
        return {name: value for name, value in rows}  # noqa: C416 - rows are no tuples

    async def kinds(self) -> tuple[str, ...]:
        """Every kind that has a value."""
        rows = await self._database.run(lambda c: c.fetch(_KINDS))
        return tuple(row[0] for row in rows)

    async def put(self, kind: str, name: str, value: bytes | None, *, only_new: bool) -> bool:
        """Keep or remove a value; ``False`` where an old one stays."""
        error: BaseException | None = None
        shown = self._database.address.shown
        async for _ in attempts(_PATIENCE):
            try:
                async with (await self._database.pool()).acquire() as connection:
                    kept = await _put(connection, kind, name, value, only_new)
                    if kept or error is None:
                        return kept
                    # An attempt that broke may have been the one that kept it.
                    return bool(await connection.fetchval(_GET, kind, name) == value)
            except FAULTS as fault:
                if not away(fault):
                    raise store_error("cannot write to", shown, fault) from None
                error = fault
        assert error is not None
        raise store_error("cannot write to", shown, error) from None


async def _put(
    connection: Connection, kind: str, name: str, value: bytes | None, only_new: bool
) -> bool:
    if only_new:
        if value is None:
            return await connection.fetchval(_GET, kind, name) is None
        return bool(await connection.fetchval(_PUT_NEW, kind, name, value))
    if value is None:
        await connection.execute(_REMOVE, kind, name)
    else:
        await connection.execute(_PUT, kind, name, value)
    return True
