"""Searches that are one statement. Those of one shape that wait at the same time share it.

That are those that walk one list each, and are alike in all but that, and any that ask the very
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from asyncpg import Record

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page
from threadwell.stores.postgres.database import Connection, Database
from threadwell.stores.postgres.sharing import Sharing
from threadwell.stores.postgres.statement import Statement, short_columns

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


class Searches:
    """The searches of a database, for any number who ask at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sharing: Sharing[Walk, Answer] = Sharing(
            "threadwell-searches", self._find, kind=attrgetter("shape"), most=_AT_ONCE
        )

    async def answer(self, walk: Walk) -> Answer:
        """What the statement of a search finds."""
        return await self._sharing.ask(walk)

    async def close(self) -> None:
        """Finish what waits."""
        await self._sharing.close()

    async def _find(self, walks: Sequence[Walk]) -> Sequence[Answer]:
        return await self._database.run(lambda c: _found(c, walks))


async def _alone(connection: Connection, walk: Walk) -> Answer:
    return Answer(await connection.fetch(walk.statement.sql, *walk.statement.params))


async def _found(connection: Connection, walks: Sequence[Walk]) -> Sequence[Answer]:
    """What each search of a shape finds; those that ask for the same have one answer."""
    shape = walks[0].shape
    if len(walks) == 1 or isinstance(shape, Same):
        return [await _alone(connection, walks[0])] * len(walks)
    lists = dict.fromkeys([walk.key for walk in walks])
    limit = () if shape.part is None else (shape.part,)
    sql = shared_sql(descending=shape.descending, bounded=bool(limit))
    of_list: dict[int, list[Record]] = {key: [] for key in lists}
    for row in await connection.fetch(sql, shape.pid, list(lists), shape.matches, *limit):
        of_list[row["key"]].append(row)
    answers = {key: Answer(rows) for key, rows in of_list.items()}
    return [answers[walk.key] for walk in walks]


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
