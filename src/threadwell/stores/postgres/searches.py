"""Searches that are one statement. Those of one shape that wait at the same time share it.

That are those that walk one list each, and are alike in all but that, and any that ask the very
same. A statement of its own costs such a search more than the search itself, here and in the
database. One that comes alone waits no longer for it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from asyncpg import Record

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page
from threadwell.stores.postgres.database import Connection, Database
from threadwell.stores.postgres.statement import Statement, short_columns

#: Statements of a shape under way at a time: while one is with the database, another is taken
#: apart here.
_LANES = 2
_AT_ONCE = 32


class Shape(NamedTuple):
    """What is alike in searches of a project: all but the list that they walk.

    So many ``matches`` are asked for; none with a body of more than ``part`` bytes.
    """

    pid: int
    descending: bool
    matches: int
    part: int | None


class Same(NamedTuple):
    """What is alike in searches that ask the same: the text of their statement, and its values."""

    sql: str
    values: tuple[Any, ...]


class Walk(NamedTuple):
    """A search, the list that it walks if it shares a statement with those of others, and the
    statement that it has by itself.
    """

    shape: Shape | Same
    key: int
    statement: Statement


class Answer:
    """The rows of those who asked for the same at the same time, and what the first has made of
    them.
    """

    __slots__ = ("_page", "_query", "rows")

    def __init__(self, rows: Sequence[Record]) -> None:
        self.rows = rows
        self._query: Query | None = None
        self._page: Page | None = None

    def page(self, query: Query) -> Page | None:
        """The page that was made of it for the same query."""
        return self._page if self._query is query else None

    def keep(self, query: Query, page: Page) -> None:
        """It is made by now."""
        self._query, self._page = query, page


_Waiting: TypeAlias = "tuple[Walk, asyncio.Future[Answer]]"


class Searches:
    """Gathers searches until the database is free for those of their shape."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: defaultdict[Shape | Same, deque[_Waiting]] = defaultdict(deque)
        self._lanes: defaultdict[Shape | Same, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, walk: Walk) -> Answer:
        """What the statement of a search finds."""
        shape = walk.shape
        if shape not in self._lanes:
            self._lanes[shape] += 1
            try:
                # Whoever else asks in this turn of the loop shares the statement.
                await asyncio.sleep(0)
                if not self._waiting.get(shape):
                    # Nobody is there to share with, and so it costs what it costs by itself.
                    return await self._database.run(lambda c: _alone(c, walk))
            finally:
                self._end(shape)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[shape].append((walk, future))
        self._begin(shape)
        return await future

    async def close(self) -> None:
        """Finish what waits."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, shape: Shape | Same) -> None:
        """See to it that what waits has its turn."""
        if self._lanes[shape] < _LANES:
            self._lanes[shape] += 1
            lane = asyncio.create_task(self._run(shape), name="threadwell-searches")
            self._tasks.add(lane)
            lane.add_done_callback(self._tasks.discard)

    def _end(self, shape: Shape | Same) -> None:
        """A statement of the shape has ended, and its task does no more."""
        self._lanes[shape] -= 1
        if self._waiting.get(shape):
            self._begin(shape)
        elif not self._lanes[shape]:
            # A shape that nobody asks for takes no room.
            del self._lanes[shape]
            self._waiting.pop(shape, None)

    async def _run(self, shape: Shape | Same) -> None:
        waiting = self._waiting[shape]
        try:
            while waiting:
                batch = [waiting.popleft() for _ in range(min(len(waiting), _AT_ONCE))]
                await self._answer(shape, batch)
        finally:
            self._end(shape)

    async def _answer(self, shape: Shape | Same, batch: list[_Waiting]) -> None:
        try:
            found = await self._database.run(lambda c: _found(c, shape, batch))
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(batch, found, strict=True):
            if not future.done():
                future.set_result(answer)


async def _alone(connection: Connection, walk: Walk) -> Answer:
    return Answer(await connection.fetch(walk.statement.sql, *walk.statement.params))


async def _found(
    connection: Connection, shape: Shape | Same, batch: Sequence[_Waiting]
) -> Sequence[Answer]:
    """What each search finds; those that ask for the same have one answer."""
    if len(batch) == 1 or isinstance(shape, Same):
        return [await _alone(connection, batch[0][0])] * len(batch)
    lists = dict.fromkeys([walk.key for walk, _ in batch])
    limit = () if shape.part is None else (shape.part,)
    sql = shared_sql(descending=shape.descending, bounded=bool(limit))
    of_list: dict[int, list[Record]] = {key: [] for key in lists}
    for row in await connection.fetch(sql, shape.pid, list(lists), shape.matches, *limit):
        of_list[row["key"]].append(row)
    answers = {key: Answer(rows) for key, rows in of_list.items()}
    return [answers[walk.key] for walk, _ in batch]


@cache
def shared_sql(*, descending: bool, bounded: bool) -> str:
    """The searches of the lists $2, of each $3 matches in its order.

    A join with what looks at its rows is a loop: what is found of a list comes together, in order.
    """
    way = "DESC" if descending else "ASC"
    columns = short_columns("$4::bigint" if bounded else None)
    return (
        "SELECT s.*, k.key FROM unnest($2::bigint[]) AS k(key) CROSS JOIN LATERAL ("
        f"SELECT {columns} FROM (SELECT d.sort, d.rid FROM posting d"
        f" WHERE d.pid = $1 AND d.key = k.key ORDER BY d.sort {way}, d.rid {way} LIMIT $3) d"
        " CROSS JOIN LATERAL"
        " (SELECT * FROM resource r WHERE r.pid = $1 AND r.rid = d.rid LIMIT 1) r"
        f" ORDER BY d.sort {way}, d.rid {way}) s"
    )
