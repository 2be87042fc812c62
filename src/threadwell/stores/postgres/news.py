"""What was committed, in order, and how a process hears that another one has committed.

A process that has written says so by ``NOTIFY`` after its commit: within the transaction every
commit of the server would take turns. A word that was never said, as the process died, or never
heard, as the connection was lost, is made up for by looking every half second.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from threadwell.stores.contract import Change, Position, Span, StoreError
from threadwell.stores.following import BATCH, Bell, Read, follow, stirrings
from threadwell.stores.postgres.database import Connection, Database, storable
from threadwell.stores.postgres.faults import FAULTS
from threadwell.stores.postgres.group_rows import Numbered
from threadwell.stores.postgres.named import lock, number
from threadwell.stores.postgres.projects import Projects
from threadwell.stores.postgres.quick import NumberedProject
from threadwell.stores.postgres.rows import COLUMNS, stored
from threadwell.stores.sql.keys import Keys

#: How long a commit may go unheard where no word of it arrives, in seconds; and where none can.
_TICK = 0.5
_TICK_WITHOUT_WORD = 0.1
#: Commits of so many seconds share a word.
_PAUSE = 0.01

_CHANNEL = "threadwell"
_TELL = "SELECT pg_notify($1, word) FROM unnest($2::text[]) word"

_POSITION = "SELECT coalesce(max(position), 0) FROM change WHERE pid = $1"
#: Some of the changes of project $1 after position $2, without a type where they were expunged.
CHANGES = f"""
SELECT v.*, c.position, c.rid, c.number FROM (
  SELECT position, rid, number FROM change WHERE pid = $1 AND position > $2
  ORDER BY position LIMIT $3
) c
LEFT JOIN LATERAL (
  (SELECT {COLUMNS} FROM resource r WHERE r.pid = $1 AND r.rid = c.rid AND r.number = c.number
   LIMIT 1)
  UNION ALL
  SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author
  FROM (SELECT * FROM version v
    WHERE v.pid = $1 AND v.rid = c.rid AND v.number = c.number LIMIT 1) v
  CROSS JOIN LATERAL
    (SELECT type, id FROM resource r WHERE r.pid = $1 AND r.rid = c.rid LIMIT 1) r
) v ON true ORDER BY c.position
"""
#: Changes before position $2, the last one first, of types $4 (any, if none), of a span.
_RECENT = f"""
SELECT v.*, c.position, c.rid, c.number FROM change c
CROSS JOIN LATERAL
  (SELECT type, id, number, updated FROM resource r WHERE r.pid = $1 AND r.rid = c.rid LIMIT 1) k
CROSS JOIN LATERAL (
  (SELECT {COLUMNS} FROM resource r WHERE r.pid = $1 AND r.rid = c.rid AND r.number = c.number
   AND r.version_id <> '' LIMIT 1)
  UNION ALL
  (SELECT k.type, k.id, v.version_id, v.updated, v.deleted, v.body, v.author
   FROM version v WHERE v.pid = $1 AND v.rid = c.rid AND v.number = c.number
     AND k.number <> c.number LIMIT 1)
) v
WHERE c.pid = $1 AND c.position < $2 AND (cardinality($4::text[]) = 0 OR k.type = ANY($4))
  AND v.updated * 1000 >= $5::bigint AND v.updated * 1000 < $7::bigint
  AND ($6::bigint <= -(1::bigint << 62) OR k.number = c.number OR 1000 * coalesce(
    CASE WHEN k.number = c.number + 1 THEN k.updated END,
    (SELECT n.updated FROM version n
     WHERE n.pid = $1 AND n.rid = c.rid AND n.number = c.number + 1 LIMIT 1)) > $6::bigint)
ORDER BY c.position DESC LIMIT $3
"""


def numbering(
    keys: Keys, numbered: NumberedProject, written: Iterable[Numbered], *, named: bool = False
) -> str:
    """The statements that number versions in the order of the commits; ``COMMIT`` follows them.

    They go to the server together with it, as those who write to a project take turns from here
    on: a number that is seen has no lower one to come. ``named`` as in ``named.lock``.
    """
    columns = list(zip(*written, strict=True))
    if not columns:
        return ""
    turn = lock([keys.key(f"{numbered.project}\0change")], named=named)
    return turn + number(numbered.pid, *columns, named=named)


async def changes_after(
    connection: Connection, pid: int, after: int, count: int
) -> tuple[list[asyncpg.Record], bool]:
    """Rows of ``CHANGES`` that are there still: some of what is left of the changes after a
    position, if any is; and whether that is all there was.
    """
    while True:
        rows: list[asyncpg.Record] = await connection.fetch(CHANGES, pid, after, count)
        left = [row for row in rows if row["type"] is not None]
        if left or len(rows) < count:
            return left, len(rows) < count
        after = rows[-1]["position"]


class News:
    """Tells other processes of commits, and hears of theirs. For one event loop at a time."""

    def __init__(self, database: Database, projects: Projects) -> None:
        self._database = database
        self._projects = projects
        self._bell = Bell(self._listen)
        self._name = secrets.token_hex(8)
        self._untold: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    async def position(self, project: str) -> int:
        """The position of a project's last change; 0 where there is none."""
        pid = await self._projects.pid(project)
        position: int = await self._database.run(lambda c: c.fetchval(_POSITION, pid))
        return position

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        """Every change of a project after that position."""
        return follow(self._bell, project, after, lambda after: self._some(project, after, BATCH))

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        """Some of the changes of a project after that position; ``[]`` if there are none."""
        return list((await self._some(project, after, count)).found)

    async def _some(self, project: str, after: int, count: int) -> Read:
        pid = await self._projects.pid(project)
        rows, is_all = await self._database.run(lambda c: changes_after(c, pid, after, count))
        pairs = zip(rows, stored(rows), strict=True)
        found = [
            Change(row["position"], one, Position(row["rid"], row["number"])) for row, one in pairs
        ]
        return Read(found, is_all)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span
    ) -> list[Change]:
        """Some of the changes of a project before that position, the last one first."""
        pid = await self._projects.pid(project)
        given = (pid, before, count, list(types), *span)
        rows = await self._database.run(lambda c: c.fetch(_RECENT, *given))
        pairs = zip(rows, stored(rows), strict=True)
        return [
            Change(row["position"], one, Position(row["rid"], row["number"])) for row, one in pairs
        ]

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        """Yields now, and whenever something may have been committed to a project since."""
        return stirrings(self._bell, project)

    def tell(self, project: str) -> None:
        """Say, soon, that something was committed."""
        self._bell.ring(project)
        if self._database.address.pooler or not storable(project):
            return
        self._untold.add(project)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="threadwell-tell")

    async def close(self) -> None:
        """Say what is unsaid, and let go of those who follow."""
        self._bell.close()
        if self._telling is not None and not self._telling.done():
            await asyncio.wait([self._telling])

    async def _tell(self) -> None:
        while self._untold:
            words = [self._word(project) for project in self._untold]
            self._untold.clear()

            async def say(connection: Connection, words: list[str] = words) -> None:
                await connection.execute(_TELL, _CHANNEL, words)

            # They look by themselves, too.
            with suppress(StoreError):
                await self._database.run(say)
            await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        if self._database.address.pooler:
            # What listens has to keep its connection, which a pooler gives to others.
            while True:
                self._bell.ring_all()
                await asyncio.sleep(_TICK_WITHOUT_WORD)
        while True:
            with suppress(*FAULTS):
                await self._hear()
            self._bell.ring_all()
            await asyncio.sleep(_TICK)

    async def _hear(self) -> None:
        """Until the connection is lost."""
        dsn, settings = self._database.address.dsn, {"application_name": "threadwell news"}
        connection = await asyncpg.connect(dsn, timeout=10, server_settings=settings)
        try:
            await connection.add_listener(_CHANNEL, self._heard)
            while not connection.is_closed():
                self._bell.ring_all()
                await asyncio.sleep(_TICK)
        finally:
            connection.terminate()

    def _heard(self, *said: Any) -> None:
        schema, teller, project = said[-1].split(" ", 2)
        # Whoever waits here for what this process has committed was told as it did.
        if schema == self._database.address.schema and teller != self._teller:
            self._bell.ring(project)

    @property
    def _teller(self) -> str:
        """What no other process calls itself, one that was forked from this one neither."""
        return f"{os.getpid()}.{self._name}"

    def _word(self, project: str) -> str:
        return f"{self._database.address.schema} {self._teller} {project}"
