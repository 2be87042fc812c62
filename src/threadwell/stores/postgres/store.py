"""``PostgresStore``: the store contract over a PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from time import monotonic

from asyncpg import Record

from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.query import Query
from threadwell.fhir.search.references import normal_base
from threadwell.stores.aside import aside
from threadwell.stores.contract import (
    ALWAYS,
    Change,
    ChangeSet,
    IndexSize,
    Kept,
    Key,
    Page,
    Position,
    Span,
    Stored,
    Version,
)
from threadwell.stores.parameters import UNSEEN, Changing, Parameters
from threadwell.stores.postgres import export
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.database import Connection, Database, storable
from threadwell.stores.postgres.expunging import expunge
from threadwell.stores.postgres.known import is_known, know, read_known
from threadwell.stores.postgres.moments import LAST
from threadwell.stores.postgres.news import News
from threadwell.stores.postgres.parameters import change, index_slice, parameters, turn
from threadwell.stores.postgres.private import Private
from threadwell.stores.postgres.projects import Projects
from threadwell.stores.postgres.quick import (
    NumberedProject,
    added_up,
    added_up_page,
    quick,
    quick_page,
)
from threadwell.stores.postgres.reads import Reads, read_at, read_found
from threadwell.stores.postgres.rows import COLUMNS, stored
from threadwell.stores.postgres.search import Searcher
from threadwell.stores.postgres.searches import Searches
from threadwell.stores.postgres.statement import Statement
from threadwell.stores.postgres.writer import Writer
from threadwell.stores.sql.found import Found, found
from threadwell.stores.sql.indexing import Stale
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import check_deleted, prepare, size_of
from threadwell.stores.watching import Watcher

_RID = (
    "SELECT rid, number FROM resource WHERE pid = $1 AND id = $2 AND type = $3 AND version_id <> ''"
)
_VERSIONS = f"""
SELECT v.* FROM (
  SELECT {COLUMNS}, r.number FROM resource r WHERE r.pid = $1 AND r.rid = $2
  UNION ALL
  SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author, v.number
  FROM version v CROSS JOIN LATERAL
    (SELECT type, id FROM resource r WHERE r.pid = $1 AND r.rid = v.rid LIMIT 1) r
  WHERE v.pid = $1 AND v.rid = $2
) v
"""
_VERSION = f"{_VERSIONS} WHERE version_id = $3"
_HISTORY = f"{_VERSIONS} WHERE number <= $3 ORDER BY number DESC LIMIT $4 OFFSET $5"
_CONTENT = "SELECT bytes FROM content WHERE pid = $1 AND rid = $2 AND version_id = $3"

#: A moment, and what was found then.
_NOTHING: tuple[int, Found | None] = (-1, None)


class PostgresStore:
    """A ``Store`` in a database that any number of processes share. For one event loop at a time.

    It connects on first use. While the database is away reads wait five seconds and commits
    twenty, then raise ``StoreError``; when it is back, everything goes on by itself.
    """

    def __init__(self, url: str) -> None:
        """The store at ``postgresql://…`` (see ``address``); ``StoreError`` if it is no URL."""
        self._database = Database(parse_address(url))
        self._projects = Projects(self._database)
        self._private = Private(self._database)
        self._reads = Reads(self._database)
        self._searches = Searches(self._database)
        self._moments = self._database.moments
        self._writer = Writer(self._database, self._projects)
        self._news = News(self._database, self._projects)
        self._looked: dict[str, float] = {}
        self._looking: set[str] = set()

    @classmethod
    def open(cls, url: str) -> PostgresStore:
        """The store at that URL."""
        return cls(url)

    async def connect(self) -> None:
        """Connect, and bring the schema up to date, before the first use; or ``StoreError``."""
        await self._database.pool()

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        if not storable(type_, id_):
            return None
        return await self._reads.read(await self._projects.pid(project), Key(type_, id_))

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        wanted = [key for key in dict.fromkeys(keys) if storable(*key)]
        if not wanted:
            return {}
        pid = await self._projects.pid(project)
        found = await self._database.run(lambda c: read_at(c, pid, wanted, self._moments))
        return {Key(version.type, version.id): version for version in found}

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        if not storable(type_, id_, version_id):
            return None
        pid = await self._projects.pid(project)

        async def work(connection: Connection) -> Stored | None:
            row = await connection.fetchrow(_RID, pid, id_, type_)
            if row is None:
                return None
            found = stored(await connection.fetch(_VERSION, pid, row["rid"], version_id))
            return found[0] if found else None

        return await self._database.run(work)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        if not storable(type_, id_):
            return [], 0
        pid = await self._projects.pid(project)

        async def work(connection: Connection) -> tuple[list[Stored], int]:
            row = await connection.fetchrow(_RID, pid, id_, type_)
            if row is None:
                return [], 0
            rid, number = row
            rows = await connection.fetch(_HISTORY, pid, rid, number, count, offset)
            return stored(rows), number

        return await self._database.run(work)

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        if not storable(id_, version_id):
            return None
        pid = await self._projects.pid(project)

        async def work(connection: Connection) -> bytes | None:
            row = await connection.fetchrow(_RID, pid, id_, "Binary")
            if row is None:
                return None
            content: bytes | None = await connection.fetchval(_CONTENT, pid, row["rid"], version_id)
            return content

        return await self._database.run(work)

    async def search(self, project: str, query: Query) -> Page:
        keys = self._database.known_keys or await self._database.keys()
        numbered = NumberedProject(project, await self._projects.pid(project))
        walk = quick(keys, numbered, query)
        if walk is not None:
            answer = await self._searches.answer(walk)
            if (page := answer.page(query)) is not None:
                return page
            rows = answer.rows
            if query.dated:
                rows = self._moments.saw_rows(numbered.pid, rows)
            page = quick_page(query, rows)
            if page is None:
                page = added_up_page(query, await self._fetch(added_up(keys, numbered, query)))
            answer.keep(query, page)
            return page
        moments, derived, pid = self._moments, query.derived, numbered.pid
        place = (Found, keys, numbered)
        moment, was = (derived or {}).get(place, _NOTHING)
        if was is not None and moment == moments.now:
            rows = await self._database.run(lambda c: read_found(c, pid, was.rids, moments))
            if moment == moments.now:
                again: Page = was.again(query.type, rows)
                return again

        async def work(connection: Connection) -> Page:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                searcher = Searcher(connection, keys, numbered)
                page = await searcher.page(query)
                if derived is not None or query.dated:
                    moments.saw(pid, await connection.fetchval(LAST, pid))
                if derived is not None:
                    derived[place] = (moments.now, found(query, page, searcher.rids))
                return page

        return await self._database.run(work)

    async def _fetch(self, statement: Statement) -> list[Record]:
        sql, params = statement.sql, statement.params
        return await self._database.run(lambda c: c.fetch(sql, *params))

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        keys = await self._database.keys()
        size = size_of(change_set)
        while True:
            prepared = await aside(size, lambda: prepare(keys, project, change_set))
            try:
                await self._writer.commit(prepared)
                break
            except Stale:
                await self.parameters(project)
        if prepared.changing is not None:
            await self.parameters(project)
        self._news.tell(project)

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        check_deleted(gone, kept)
        keys = await self._database.keys()
        numbered = NumberedProject(project, await self._projects.pid(project))
        await self._database.run(lambda c: expunge(c, keys, numbered, gone, kept))
        self._news.tell(project)

    async def index_keys(self) -> Keys:
        """What ``sql.prepare.work_out`` takes to work out what goes into this store's index."""
        return self._database.known_keys or await self._database.keys()

    def moment(self, *, just_read: bool = False) -> int | None:
        """To ask the database takes as long as to read there: it is told along with that."""
        return self._moments.asked() if just_read else None

    async def known_as(self, *bases: str) -> frozenset[str]:
        keys = await self._database.keys()
        keys.bases.own |= set(map(normal_base, bases))

        async def work(connection: Connection) -> frozenset[str]:
            keys.bases.own |= await read_known(connection)
            if not await is_known(connection, keys):
                await know(connection, keys)
            return keys.bases.own

        return await self._database.run(work)

    async def home(self, project: str, *, anew: bool = False) -> Home:
        keys = self._database.known_keys or await self._database.keys()
        now = monotonic()
        age = now - self._looked.get(project, 0.0)
        # One looks for all, unless that takes long.
        if anew or age > 2 * UNSEEN or (age > UNSEEN and project not in self._looking):
            self._looking.add(project)
            try:
                there = await self._database.run(lambda c: turn(c, project))
                if there != keys.bases.of(project).turn:
                    await self.parameters(project)
            finally:
                self._looking.discard(project)
            self._looked[project] = now
        return keys.bases.of(project)

    async def parameters(self, project: str) -> Parameters:
        found = await self._database.run(lambda c: parameters(c, project))
        return await self._seen(project, found)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:
        keys = await self._database.keys()

        async def work(connection: Connection) -> Parameters:
            async with connection.transaction():
                return await change(connection, keys, project, changing)

        found = await self._seen(project, await self._database.run(work))
        self._news.tell(project)
        return found

    async def index_size(self) -> IndexSize:
        async def work(connection: Connection) -> IndexSize:
            found: list[int] = []
            for table in ("posting", "folded"):
                sql = f"SELECT (SELECT count(*) FROM {table}), pg_total_relation_size('{table}')"
                found += await connection.fetchrow(sql)
            return IndexSize(*found)

        return await self._database.run(work)

    async def index(self, project: str) -> Parameters:
        keys = await self._database.keys()
        if not (now := await self.parameters(project)).pending:
            return now
        pid = await self._projects.pid(project)

        async def work(connection: Connection) -> Parameters:
            async with connection.transaction():
                return await index_slice(connection, keys, project, pid)

        return await self._seen(project, await self._database.run(work))

    async def _seen(self, project: str, found: Parameters) -> Parameters:
        keys = await self._database.keys()
        keys.bases.has(project, found.catalogue, found.turn)
        return found

    async def projects(self) -> list[str]:
        sql = "SELECT name FROM project ORDER BY pid"
        return [row[0] for row in await self._database.run(lambda c: c.fetch(sql))]

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        pid = await self._projects.pid(project)
        return await self._database.run(lambda c: export.versions(c, pid, after, count))

    async def position(self, project: str) -> int:
        return await self._news.position(project)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        return await self._news.recent(project, types, before, count, span)

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        return await self._news.changes(project, after, count)

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        return self._news.follow(project, after)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        return self._news.stirrings(project)

    async def private_kinds(self) -> list[str]:
        return list(await self._private.kinds())

    async def get_private(self, kind: str, name: str) -> bytes | None:
        return await self._private.get(kind, name)

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        return await self._private.get_many(kind, names)

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        return await self._private.list(kind, after, count)

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        return await self._private.put(kind, name, value, only_new=only_new)

    async def plan(self, project: str, query: Query) -> list[str]:
        """PostgreSQL's plan for a search that is one statement, a line for each step; else none.

        It is the plan that is kept for every value (``plan_cache_mode``).
        """
        numbered = NumberedProject(project, await self._projects.pid(project))
        walk = quick(await self._database.keys(), numbered, query)
        if walk is None:
            return []
        sql, params = walk.statement.sql, walk.statement.params

        async def work(connection: Connection) -> list[str]:
            rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {sql}", *params)
            return [row[0] for row in rows]

        return await self._database.run(work)

    def watch(self, watcher: Watcher) -> None:
        """Tell ``watcher`` of every commit from now on."""
        self._writer.watcher = watcher

    async def close(self) -> None:
        await self._writer.close()
        await self._news.close()
        await self._reads.close()
        await self._searches.close()
        await self._private.close()
        await self._database.close()
