"""Answers a ``Query`` on one connection, and remembers how."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

import apsw

from threadwell.fhir.search.query import Query
from threadwell.fhir.search.within import is_inner
from threadwell.stores.contract import Page
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.quick import quick_lead
from threadwell.stores.sqlite.one_search import OneSearch
from threadwell.stores.sqlite.quick import Quick, quick_page, quick_statement
from threadwell.stores.sqlite.reader import Reader
from threadwell.stores.sqlite.render import as_json
from threadwell.stores.sqlite.rows import READ_FOUND, fetch
from threadwell.stores.sqlite.shown import Shown

#: Does some work, or breaks it off by raising.
Within: TypeAlias = Callable[[Callable[[], Page]], Page]


#: What a searcher has learnt of a search, and what it has found on the way to it.
Learnt: TypeAlias = tuple[OneSearch, dict[Hashable, Any]]
#: Searches that are remembered at a time.
_MOST_REMEMBERED = 500


def _freely(work: Callable[[], Page]) -> Page:
    return work()


class Searcher:
    """Searches one connection, by its ``reader``. Not for two threads at once."""

    def __init__(self, connection: apsw.Connection, keys: Keys) -> None:
        self._connection = connection
        self.reader = Reader(connection, keys)
        self._remembered: dict[int, tuple[Query, int, OneSearch]] = {}
        self._found: tuple[int, dict[Hashable, Any]] = (0, {})
        self._shown = Shown()

    def page(self, project: str, pid: int, query: Query, within: Within = _freely) -> Page:
        """The answer to a query, all of it as of one moment.

        ``within`` may break the search off, but never what begins and ends the transaction: a
        moment that is held for good lets the write-ahead log grow without end.
        """
        connection = self._connection
        quick = self.quick(project, query)
        if quick is not None:
            return within(lambda: self.quick_page(query, quick))
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        page = self._again(pid, query)
        if page is not None:
            return page
        connection.execute("BEGIN")
        try:
            return within(lambda: self._search(project, pid, query).page())
        finally:
            # A disk that fails has ended it already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _again(self, pid: int, query: Query) -> Page | None:
        """The page that was found; ``None`` where none was, or something was committed since."""
        known = None if query.derived is None else self._remembered.get(id(query))
        if known is None or known[0] is not query or known[2].pid != pid:
            return None
        moment, found = known[1], known[2].found
        if found is None:
            return None
        rows = fetch(self._connection, READ_FOUND, (as_json(found.rids),))
        # What SQLite has seen just then.
        return found.again(query.type, rows) if self._connection.data_version() == moment else None

    def quick(self, project: str, query: Query) -> Quick | None:
        """The statement that answers a query; ``None`` where more has to be asked."""
        place, derived = (self.reader.keys, project), query.derived
        if derived is not None and place in derived:
            known: Quick | None = derived[place]
            return known
        quick = None
        # Of a later page, the bodies before it are better not looked for. What is contained is of
        # another type than what it is in.
        plain = not query.offset and not is_inner(query.type)
        if plain and (lead := quick_lead(self.reader.keys, project, query)):
            quick = quick_statement(query, lead)
        if derived is not None:
            derived[place] = quick
        return quick

    def quick_page(self, query: Query, quick: Quick) -> Page:
        """The answer to a query by its one statement; the one before, where that still holds."""
        connection = self._connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        shown = self._shown
        page = shown.of(connection, query, quick)
        if page is None:
            page = quick_page(connection, query, quick)
            if query.derived is not None:
                page = shown.keep(connection, query, quick, page)
        return page

    def exists(self, project: str, pid: int, query: Query) -> bool:
        """Whether anything matches, within the transaction that is open."""
        return OneSearch(self.reader, project, pid, query).exists()

    def wanted(self, project: str, pid: int, query: Query) -> list[frozenset[int]]:
        """Lists of the index, some of them together: whatever matches is in one of each."""
        conditions = OneSearch(self.reader, project, pid, query).conditions
        return [
            frozenset(one.keys) for one in conditions if one.keys is not None and not one.negate
        ]

    def plan(self, project: str, pid: int, query: Query) -> list[str]:
        """SQLite's plan for the page, a line for each step: what tests and people look at."""
        lines: list[str] = []

        def explain(cursor: apsw.Cursor, sql: str, params: Any) -> bool:
            if sql.startswith("SELECT"):
                with_plan = cursor.connection.cursor()
                with_plan.exec_trace = None
                rows = with_plan.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                lines.extend(str(row[3]) for row in rows)
            return True

        self._connection.exec_trace = explain
        try:
            self.page(project, pid, query)
        finally:
            self._connection.exec_trace = None
        return lines

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _search(self, project: str, pid: int, query: Query) -> OneSearch:
        """One that may have worked out already how to answer, within a transaction.

        What chains lead to and which lead is short hold while nothing is committed.
        """
        if query.derived is None:
            return OneSearch(self.reader, project, pid, query)
        moment: int = self.reader.rows("PRAGMA data_version", ())[0][0]
        known = self._remembered.get(id(query))
        if known is not None and known[0] is query and known[1] == moment and known[2].pid == pid:
            return known[2]
        if self._found[0] != moment or len(self._found[1]) >= _MOST_REMEMBERED:
            self._found = moment, {}
        search = OneSearch(self.reader, project, pid, query, self._found[1])
        self._remember(query, moment, search)
        return search

    def _remember(self, query: Query, moment: int, search: OneSearch) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[id(query)] = (query, moment, search)

    def learnt(self, query: Query) -> Learnt | None:
        """How a query was answered, if that is remembered; for another searcher of the store."""
        known = self._remembered.get(id(query))
        return None if known is None or known[0] is not query else (known[2], self._found[1])

    def adopt(self, query: Query, learnt: Learnt, moment: int) -> None:
        """Know what another searcher has learnt, who saw what there is at that moment."""
        search, found = learnt
        if self._found[0] != moment:
            self._found = moment, {}
        self._found[1].update(found)
        self._remember(query, moment, search.for_another(self.reader))
