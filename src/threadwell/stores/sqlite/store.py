"""``SqliteStore``: the store contract over one SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, closing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import apsw

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
from threadwell.stores.following import BATCH, Bell, Read, follow, stirrings
from threadwell.stores.parameters import UNSEEN, Changing, Parameters
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.indexing import Stale
from threadwell.stores.sql.keys import Form, Keys
from threadwell.stores.sql.prepare import check_deleted, prepare, size_of
from threadwell.stores.sqlite import export, heavy, news
from threadwell.stores.sqlite.database import open_database, open_reader, setting
from threadwell.stores.sqlite.deferred import waits
from threadwell.stores.sqlite.faults import DatabaseFile, Reading, store_error
from threadwell.stores.sqlite.frozen import check_frozen, is_frozen, thawed
from threadwell.stores.sqlite.heavy import Heavy, Watch
from threadwell.stores.sqlite.known import is_known, know, read_known
from threadwell.stores.sqlite.parameters import know_all, parameters, turn
from threadwell.stores.sqlite.private import PrivateValues
from threadwell.stores.sqlite.reindex import reindex_if_old
from threadwell.stores.sqlite.rows import (
    READ,
    VERSIONS,
    fetch,
    index_sizes,
    read_many,
    row_to_stored,
    select_pid,
)
from threadwell.stores.sqlite.search import Learnt, Searcher, Within
from threadwell.stores.sqlite.settling import Settling
from threadwell.stores.sqlite.transaction import Transaction
from threadwell.stores.sqlite.writer import Writer
from threadwell.stores.watching import Watcher

_READING = Reading()
_RID = "SELECT rid, number FROM resource WHERE id = ? AND type = ? AND pid = ? AND version_id <> ''"


class SqliteStore(PrivateValues):
    """A ``Store`` in one file, for one event loop at a time; other processes may use it too.

    Reads and short searches run on the loop's own thread, where they take microseconds.
    """

    def __init__(
        self,
        path: Path,
        writing: apsw.Connection,
        reader: Callable[[], apsw.Connection] | None = None,
    ) -> None:
        """Use ``open``."""
        self._path = path
        self._reader = reader or partial(open_reader, path)
        self._ending = ExitStack()
        self._file = DatabaseFile(path)
        self._writing = writing
        self._keys = Keys(setting(writing, "secret"), Bases(read_known(writing)), sheets=Form.PAGES)
        if reader is None:
            know_all(writing, self._keys)
            reindex_if_old(writing, self._keys)
        self._reading = self._reader()
        self._watch = Watch(self._reading, heavy.STEPS_ON_LOOP)
        self._searcher = Searcher(self._reading, self._keys)
        self._heavy = Heavy(self._another_searcher)
        self._pids: dict[str, int] = {}
        self._looked: dict[str, float] = {}
        self._bell = Bell(lambda: news.listen(self._reading, self._bell.ring_all))
        self._writer = Writer(writing, Searcher(writing, self._keys), self._pid_to_write)
        self._settling = Settling(self._reading, self._searcher, self._writer)

    @classmethod
    def open(cls, path: str | Path) -> SqliteStore:
        """The store in the file at ``path``, made or migrated where needed.

        Raises ``StoreError`` for a file that is not a Threadwell database, is of a newer version
        or cannot be opened.
        """
        path = Path(path)
        connection = open_database(path)
        try:
            return cls(path, connection)
        except apsw.Error as error:
            connection.close()
            raise store_error(f"cannot open {path}", error) from None
        except BaseException:
            connection.close()
            raise

    @classmethod
    def open_to_read(cls, path: str | Path) -> SqliteStore:
        """The same; where nothing can be written, what is there is read as it is.

        Whatever would write to it then raises ``StoreError``.
        """
        path = Path(path)
        if not is_frozen(path):
            return cls.open(path)
        with ExitStack() as ending:
            reader = ending.enter_context(thawed(path))
            connection = reader()
            try:
                check_frozen(connection, path)
                store = cls(path, connection, reader)
            except apsw.Error as error:
                raise store_error(f"cannot open {path}", error) from None
            store._ending = ending.pop_all()
        return store

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        with _READING:
            rows = fetch(self._reading, READ, (id_, type_, self._pid(project)))
        return row_to_stored(rows[0]) if rows else None

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        with _READING:
            return read_many(self._reading, self._pid(project), keys)

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        sql = f"{VERSIONS} WHERE version_id = ?2"
        with _READING:
            for rid, _ in self._rid(project, type_, id_):
                rows = fetch(self._reading, sql, (rid, version_id))
                return row_to_stored(rows[0]) if rows else None
        return None

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        sql = f"{VERSIONS} WHERE number <= ?2 ORDER BY number DESC LIMIT ?3 OFFSET ?4"
        with _READING:
            for rid, number in self._rid(project, type_, id_):
                rows = fetch(self._reading, sql, (rid, number, count, offset))
                return [row_to_stored(row) for row in rows], number
        return [], 0

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        sql = "SELECT bytes FROM content WHERE rid = ? AND version_id = ?"
        with _READING:
            for rid, _ in self._rid(project, "Binary", id_):
                for (content,) in fetch(self._reading, sql, (rid, version_id)):
                    assert isinstance(content, bytes)
                    return content
        return None

    async def search(self, project: str, query: Query) -> Page:
        with _READING:
            pid = self._pid(project)
            await self._settling.before(project, pid, query)
            limit = self._heavy.known.limit(project, query)
            searcher, watch = self._searcher, self._watch
            quick = searcher.quick(project, query)
            try:
                if quick is not None:
                    return watch.within(limit, searcher.quick_page, query, quick)
                return searcher.page(
                    project, pid, query, lambda search: watch.within(limit, search)
                )
            except apsw.InterruptError:
                self._heavy.known.add(project, query)
            moment = self.moment()
            learnt: list[Learnt | None] = [None]

            def work(searcher: Searcher, within: Within) -> Page:
                page = searcher.page(project, pid, query, within)
                learnt[0] = searcher.learnt(query)
                return page

            page = await self._heavy.search(work)
            if query.dated:
                # What is asked next is no older than what was found elsewhere.
                self.moment()
            if learnt[0] is not None and moment is not None and moment == self.moment():
                # It need not go there again.
                searcher.adopt(query, learnt[0], moment)
            return page

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        self._file.check()
        size = size_of(change_set)
        while True:
            prepared = await aside(size, lambda: prepare(self._keys, project, change_set))
            try:
                await self._writer.commit(prepared)
                break
            except Stale:
                self._look(project)
        if prepared.changing is not None:
            self._look(project)
        self._bell.ring(project)

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        check_deleted(gone, kept)
        self._file.check()
        await self._writer.do(lambda transaction: transaction.expunge(project, gone, kept))
        self._bell.ring(project)

    async def index_keys(self) -> Keys:
        """What ``sql.prepare.work_out`` takes to work out what goes into this store's index."""
        return self._keys

    def in_bulk(self) -> AbstractAsyncContextManager[None]:
        """Meanwhile much is written: changed pages are kept at hand, and copied rarely; and new
        entries of the index may wait until somebody searches.
        """
        return self._settling.in_bulk(self._writing)

    def moment(self, *, just_read: bool = False) -> int | None:
        connection = self._reading
        if connection.in_transaction:
            return None
        if just_read:
            # What SQLite saw when it last looked.
            return connection.data_version()
        with _READING:
            return int(fetch(connection, "PRAGMA data_version")[0][0])

    async def known_as(self, *bases: str) -> frozenset[str]:
        own = self._keys.bases
        own.own |= set(map(normal_base, bases))

        def add(transaction: Transaction) -> None:
            transaction.flush()
            know(self._writing, self._keys)

        with _READING:
            own.own |= read_known(self._reading)
            known = is_known(self._reading, self._keys)
            known = known and not waits(self._reading)
        if not known:
            self._file.check()
            await self._writer.do(add)
        return own.own

    async def home(self, project: str, *, anew: bool = False) -> Home:
        now = monotonic()
        if anew or now - self._looked.get(project, 0.0) > UNSEEN:
            self._looked[project] = now
            with _READING:
                there = turn(self._reading, project)
            if there != self._keys.bases.of(project).turn:
                self._look(project)
        return self._keys.bases.of(project)

    async def parameters(self, project: str) -> Parameters:
        return self._look(project)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:
        self._file.check()
        await self._writer.do(lambda transaction: transaction.change_parameters(project, changing))
        self._bell.ring(project)
        return self._look(project)

    async def index_size(self) -> IndexSize:
        # It reads all of it: not on a connection that others wait for.
        with closing(self._reader()) as connection:
            found = await asyncio.to_thread(index_sizes, connection)
        return IndexSize(*found.get("posting", (0, 0)), *found.get("text", (0, 0)))

    async def index(self, project: str) -> Parameters:
        if self._look(project).pending:
            self._file.check()
            await self._writer.do(lambda transaction: transaction.index(self._keys, project))
        return self._look(project)

    async def projects(self) -> list[str]:
        with _READING:
            rows = fetch(self._reading, "SELECT name FROM project ORDER BY pid")
        return [name for (name,) in rows]

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        with _READING:
            return export.versions(self._reading, self._pid(project), after, count)

    async def position(self, project: str) -> int:
        with _READING:
            return news.position(self._reading, self._pid(project))

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        found: list[Change] = []
        before = min(before, await self.position(project) + 1)
        while before > 1 and len(found) < count:
            first, left = before - news.STRETCH, count - len(found)
            with _READING:
                found += news.recent(
                    self._reading, self._pid(project), types, before, left, span, first
                )
            before = first
            # Others have their turn: what is looked for may be far back.
            await asyncio.sleep(0)
        return found

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        with _READING:
            return news.changes(self._reading, self._pid(project), after, count)

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        async def read(after: int) -> Read:
            return Read(await self.changes(project, after, BATCH))

        return follow(self._bell, project, after, read)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        return stirrings(self._bell, project)

    def watch(self, watcher: Watcher) -> None:
        """Tell ``watcher`` of every commit from now on."""
        self._writer.watcher = watcher

    def rest(self) -> None:
        """Let go of the pages of the file that are at hand: the system has them, too."""
        if not self._reading.in_transaction:
            self._reading.execute("PRAGMA shrink_memory")
        self._writer.rest()

    async def close(self) -> None:
        self._bell.close()
        await self._writer.close()
        self._heavy.close()
        self._reading.close()
        self._writing.close()
        self._ending.close()
        self._keys.forget()

    def plan(self, project: str, query: Query) -> list[str]:
        """SQLite's plan for a search, a line for each step."""
        return self._searcher.plan(project, self._pid(project), query)

    def _another_searcher(self) -> tuple[Searcher, Watch]:
        self._file.check()
        connection = self._reader()
        return Searcher(connection, self._keys.another()), Watch(connection, heavy.STEPS)

    def _look(self, project: str) -> Parameters:
        """See which search parameters there are."""
        with _READING:
            found = parameters(self._reading, project)
        self._keys.bases.has(project, found.catalogue, found.turn)
        return found

    def _rid(self, project: str, type_: str, id_: str) -> list[tuple[Any, ...]]:
        return fetch(self._reading, _RID, (id_, type_, self._pid(project)))

    def _pid(self, project: str) -> int:
        """The number of a project; one that nothing was written to has none, which is 0."""
        pid = self._pids.get(project)
        if pid is None:
            pid = select_pid(self._reading, project)
            if pid:
                self._pids[project] = pid
        return pid

    def _pid_to_write(self, project: str) -> int:
        pid = self._pids.get(project) or select_pid(self._writing, project)
        if not pid:
            self._writing.execute("INSERT INTO project (name) VALUES (?)", (project,))
            pid = self._writing.last_insert_rowid()
        return pid
