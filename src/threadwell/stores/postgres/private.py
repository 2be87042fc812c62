"""What the server keeps for itself. Values that are asked for at once share a statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadwell.stores.contract import UNUSED, Kept, Key, Whatever
from threadwell.stores.postgres.database import Connection, Database, storable
from threadwell.stores.postgres.faults import FAULTS, attempts, away, store_error
from threadwell.stores.postgres.sharing import Sharing

_PATIENCE = 20.0
_AT_ONCE = 500
_GET = "SELECT value FROM private WHERE kind = $1 AND name = $2"
_GET_MANY = """
SELECT p.name, p.value FROM unnest($2::text[]) AS k(name)
CROSS JOIN LATERAL (
  SELECT name, value FROM private p WHERE p.kind = $1 AND p.name = k.name LIMIT 1
) p
"""
_GET_ALL = """
SELECT p.kind, p.name, p.value FROM unnest($1::text[], $2::text[]) AS k(kind, name)
CROSS JOIN LATERAL (
  SELECT kind, name, value FROM private p WHERE p.kind = k.kind AND p.name = k.name LIMIT 1
) p
"""
_LIST = """
SELECT name, value FROM private WHERE kind = $1 AND name > $2 ORDER BY name LIMIT $3
"""
_KINDS = "SELECT DISTINCT kind FROM private ORDER BY kind"
_REMOVE = "DELETE FROM private WHERE kind = $1 AND name = $2"
_REMOVE_MANY = """
DELETE FROM private p USING unnest($1::text[], $2::text[]) AS k(kind, name)
WHERE p.kind = k.kind AND p.name = k.name
"""
_PUT = """
INSERT INTO private VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO UPDATE SET value = $3
"""
_PUT_MANY = """
INSERT INTO private SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])
ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value
"""
_PUT_NEW = """
INSERT INTO private VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO NOTHING RETURNING true
"""
_CURRENT = tuple(
    f"""
SELECT p.kind, p.name, p.value FROM unnest($1::text[], $2::text[]) AS k(kind, name)
CROSS JOIN LATERAL (
  SELECT kind, name, value FROM private p
  WHERE p.kind = k.kind AND p.name = k.name LIMIT 1 FOR {lock}
) p
"""
    for lock in ("NO KEY UPDATE", "SHARE")
)
_INSERT = "INSERT INTO private SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])"


async def current_kept(connection: Connection, wanted: Iterable[Kept]) -> dict[Key, bytes]:
    """What is there of what is expected, locked until the transaction ends.

    What is to stay as it is, many may expect at a time.
    """
    expected = [one for one in wanted if not isinstance(one.before, Whatever)]
    found: dict[Key, bytes] = {}
    for sql, stays in zip(_CURRENT, (False, True), strict=True):
        # In the order of the names, so that two processes seldom wait for each other's locks.
        names = sorted((one.kind, one.name) for one in expected if _stays(one) is stays)
        if names:
            rows = await connection.fetch(sql, *zip(*names, strict=True))
            found.update((Key(row[0], row[1]), row[2]) for row in rows)
    return found


async def write_kept(connection: Connection, kept: Iterable[Kept]) -> None:
    """Write private values within the transaction that is open.

    One that is expected not to be there breaks the transaction where it is.
    """
    new, others = new_kept(kept)
    if new:
        await connection.execute(_INSERT, *zip(*new, strict=True))
    others = [one for one in others if not _stays(one)]
    if gone := [(one.kind, one.name) for one in others if one.value is None]:
        await connection.execute(_REMOVE_MANY, *zip(*gone, strict=True))
    put = [(one.kind, one.name, one.value) for one in others if one.value is not None]
    if put:
        await connection.execute(_PUT_MANY, *zip(*put, strict=True))


def new_kept(kept: Iterable[Kept]) -> tuple[list[tuple[str, str, bytes]], list[Kept]]:
    """The rows of those that are not there, as is expected or known, and the others, in order."""
    ordered = sorted(kept, key=lambda one: (one.kind, one.name))
    new, others = [], []
    for one in ordered:
        if (one.before is None or one.before is UNUSED) and one.value is not None:
            new.append((one.kind, one.name, one.value))
        else:
            others.append(one)
    return new, others


async def is_kept(connection: Connection, one: Kept) -> bool:
    """Whether a private value is as it was to be written."""
    return bool(await connection.fetchval(_GET, one.kind, one.name) == one.value)


def _stays(one: Kept) -> bool:
    return one.value == one.before


class Private:
    """The values of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sharing: Sharing[Key, bytes | None] = Sharing(
            "threadwell-private", self._get, kind=lambda _: None, most=_AT_ONCE
        )

    async def get(self, kind: str, name: str) -> bytes | None:
        """A value, ``None`` where there is none."""
        return await self._sharing.ask(Key(kind, name)) if storable(kind, name) else None

    async def close(self) -> None:
        """Finish what waits."""
        await self._sharing.close()

    async def _get(self, asked: Sequence[Key]) -> Sequence[bytes | None]:
        if len(asked) == 1:
            return [await self._database.run(lambda c: c.fetchval(_GET, *asked[0]))]
        keys = dict.fromkeys(asked)
        rows = await self._database.run(lambda c: c.fetch(_GET_ALL, *zip(*keys, strict=True)))
        found = {(row[0], row[1]): row[2] for row in rows}
        return [found.get(key) for key in asked]

    async def get_many(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """Those values of a kind that are there, by name."""
        wanted = [name for name in names if storable(kind, name)]
        if not wanted:
            return {}
        rows = await self._database.run(lambda c: c.fetch(_GET_MANY, kind, wanted))
        return {name: value for name, value in rows}  # noqa: C416 - rows are no tuples

    async def list(self, kind: str, after: str, count: int | None) -> dict[str, bytes]:
        """At most ``count`` values of a kind, by name, that follow a name."""
        rows = await self._database.run(lambda c: c.fetch(_LIST, kind, after, count))
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
