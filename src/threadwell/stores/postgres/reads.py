"""Current versions by key. Reads that wait at the same time share one statement.

A statement of its own costs a read more than the read itself: with 32 readers at once, sharing is
several times as fast, and one reader alone waits no longer for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from asyncpg import Record

from threadwell.stores.contract import Key, Stored
from threadwell.stores.postgres.database import Connection, Database
from threadwell.stores.postgres.moments import LAST, Moments, dated
from threadwell.stores.postgres.rows import COLUMNS, bounded, stored, with_bodies

#: Statements under way at a time: while one is with the database, another is taken apart here.
_LANES = 2
_AT_ONCE = 200

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
    """Gathers reads until the database is free for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[int, Key, asyncio.Future[Stored | None]]] = deque()
        #: Statements. What ends counts no more from that very moment on: what comes later would
        #: wait for it in vain.
        self._under_way = 0
        self._lanes: set[asyncio.Task[None]] = set()

    async def read(self, pid: int, key: Key) -> Stored | None:
        """The current version; ``None`` where there never was one."""
        if not self._under_way:
            self._under_way += 1
            try:
                # Whoever else reads in this turn of the loop shares the statement.
                await asyncio.sleep(0)
                if not self._waiting:
                    # Nobody is there to share with, and so it costs what it costs by itself.
                    found = await self._database.run(
                        lambda c: read_at(c, pid, [key], self._database.moments)
                    )
                    return found[0] if found else None
            finally:
                self._end()
        future: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((pid, key, future))
        self._begin()
        return await future

    async def close(self) -> None:
        """Finish what waits."""
        while self._lanes:
            await asyncio.wait(self._lanes)

    def _begin(self) -> None:
        """See to it that what waits has its turn."""
        if self._under_way < _LANES:
            self._under_way += 1
            lane = asyncio.create_task(self._run(), name="threadwell-reads")
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    def _end(self) -> None:
        """A statement has ended."""
        self._under_way -= 1
        if self._waiting:
            self._begin()

    async def _run(self) -> None:
        try:
            while self._waiting:
                pid = self._waiting[0][0]
                batch: list[tuple[int, Key, asyncio.Future[Stored | None]]] = []
                while self._waiting and self._waiting[0][0] == pid and len(batch) < _AT_ONCE:
                    batch.append(self._waiting.popleft())
                await self._answer(pid, batch)
        finally:
            self._end()

    async def _answer(
        self, pid: int, batch: list[tuple[int, Key, asyncio.Future[Stored | None]]]
    ) -> None:
        keys = list(dict.fromkeys(key for _, key, _ in batch))
        try:
            rows = await self._database.run(lambda c: read_at(c, pid, keys, self._database.moments))
        except BaseException as error:
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        found = {(row.type, row.id): row for row in rows}
        for _, key, future in batch:
            if not future.done():
                future.set_result(found.get(key))
