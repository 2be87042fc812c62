"""Change sets within one open transaction: checked against it, then gathered and written in bulk.

Statements are run for many rows at once. So that a later change set sees an earlier one of the
same transaction, what is gathered is written before anything that could depend on it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import apsw

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import (
    Conflict,
    Kept,
    Key,
    Stored,
    StoreSlow,
    Whatever,
    Write,
)
from threadwell.stores.parameters import Changing
from threadwell.stores.sql.condition import looks_up
from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.indexing import Stale
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import Prepared
from threadwell.stores.sqlite import parameters
from threadwell.stores.sqlite.deferred import Lists
from threadwell.stores.sqlite.expunging import expunge_rows, overwriting
from threadwell.stores.sqlite.heavy import Limit, LimitOfWork, Watch
from threadwell.stores.sqlite.news import position
from threadwell.stores.sqlite.pending import PendingRows
from threadwell.stores.sqlite.render import as_json
from threadwell.stores.sqlite.rows import fetch
from threadwell.stores.sqlite.search import Searcher
from threadwell.stores.sqlite.sheets import Sheets

#: How long may be looked for what conditions of a change set match, in seconds of work: all others
#: wait for the transaction.
LONGEST_LOOK = 1.0
#: From so many writes on, what they follow is looked up at once.
_MANY = 20

#: Number of the project, type and id.
_ProjectKey: TypeAlias = tuple[int, str, str]


class _Current(NamedTuple):
    rid: int
    number: int
    version_id: str


class Undone(Exception):
    """Nothing can be said before what waits in sheets is in the index (``Transaction.enter``), and
    nothing was done.
    """


class Transaction:
    """The change sets of one transaction, which the caller begins and ends.

    ``defers``: entries of sheets may wait in the file for a later one; ``lists`` tell of which
    lists those are that do.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        searcher: Searcher,
        watch: Watch,
        pid: Callable[[str], int],
        lists: Lists,
        *,
        defers: bool,
    ) -> None:
        self._connection = connection
        self._lists = lists
        self._defers = defers
        self._watch = watch
        self._searcher = searcher
        self._pid = pid
        self._known: dict[_ProjectKey, _Current | None] = {}
        self._emptied: dict[_ProjectKey, int] = {}
        self._rows = PendingRows()
        self._sheets = Sheets(connection)
        ((last,),) = fetch(connection, "SELECT max(rid) FROM resource")
        self._next_rid = (last or 0) + 1
        self._positions: dict[int, int] = {}
        self._turns: dict[str, int] = {}

    def apply(self, prepared: Prepared) -> None:
        """Gather a change set; or raise ``Conflict``, ``Stale``, ``Undone``, or ``StoreSlow`` where
        too much has to be looked through for an ``Unmatched``, with nothing of it gathered.
        """
        if self._turn(prepared.project) != prepared.turn:
            raise Stale
        pid = self._pid(prepared.project)
        change_set = prepared.change_set
        places = [(pid, write.type, write.id) for write in change_set.writes]
        for unchanged in change_set.unchanged:
            before = unchanged.before
            self._expect((pid, before.type, before.id), before)
        if len(places) >= _MANY:
            self._look_up(pid, places)
        currents = [
            self._expect(place, write.before)
            for place, write in zip(places, change_set.writes, strict=True)
        ]
        self._expect_kept(change_set.kept)
        limit = LimitOfWork(LONGEST_LOOK)
        for unmatched in change_set.unmatched:
            if self._matches(prepared.project, pid, unmatched.query, limit):
                raise Conflict(None)
        if any(current and self._is_gathered(current.rid) for current in currents):
            # Before all of it: what is written of a part of it alone could not be found yet.
            self.flush()
        if prepared.sheet is not None:
            self._sheets.add(self._next_rid, prepared.sheet)
        first = self._next_position(pid, len(places))
        parts = zip(
            places, change_set.writes, currents, prepared.removed, prepared.added, strict=True
        )
        for change, (place, write, current, removed, added) in enumerate(parts, first):
            self._gather(place, change, write, current, removed, added)
        for one in change_set.kept:
            self.put_private(one.kind, one.name, one.value, only_new=False)
        if prepared.changing is not None:
            self.change_parameters(prepared.project, prepared.changing)

    def expunge(self, project: str, gone: Sequence[Stored], kept: Sequence[Kept]) -> None:
        """Remove every version of what is deleted; or raise ``Conflict`` or ``Undone``, having
        removed none.

        A row without a version stays, which tells those who follow, and keeps its number.
        """
        self.flush()
        pid = self._pid(project)
        there: dict[_ProjectKey, _Current] = {}
        for one in gone:
            place = (pid, one.type, one.id)
            current = self._known[place] if place in self._known else self._current(place)
            if current is not None:
                self._expect(place, one)
                there[place] = current
        first = self._next_position(pid, len(there))
        changes = [
            (pid, at, one.rid, one.number + 1) for at, one in enumerate(there.values(), first)
        ]
        with overwriting(self._connection):
            expunge_rows(self._connection, changes)
            for value in kept:
                self.put_private(value.kind, value.name, value.value, only_new=False)
        for place, current in there.items():
            self._seen(place, (current.rid, current.number + 1, ""))

    def change_parameters(self, project: str, changing: Changing) -> None:
        """Change the search parameters of a project, and what is prepared by then is ``Stale``; or
        raise ``Undone``.
        """
        self._expect_none_deferred()
        found = parameters.change(self._connection, project, changing)
        self._turns[project] = found.turn

    def index(self, keys: Keys, project: str) -> None:
        """Bring the index of some resources in line with the search parameters; or raise
        ``Undone``.
        """
        self.flush()
        found = parameters.index_slice(self._connection, keys, project, self._pid(project))
        self._turns[project] = found.turn

    def put_private(self, kind: str, name: str, value: bytes | None, *, only_new: bool) -> bool:
        """Keep or remove a value of the server's own; ``False`` where an old one stays."""
        if value is None:
            sql = "DELETE FROM private WHERE kind = ? AND name = ?"
            self._connection.execute(sql, (kind, name))
            return True
        way = "IGNORE" if only_new else "REPLACE"
        self._connection.execute(
            f"INSERT OR {way} INTO private VALUES (?, ?, ?)", (kind, name, value)
        )
        return not only_new or self._connection.changes() == 1

    def flush(self) -> None:
        """Write what is gathered; or raise ``Undone``."""
        self._expect_none_deferred()
        for _ in self.flushing():
            pass
        self._sheets.insert()

    def flushing(self) -> Iterator[None]:
        """Write what is gathered but for sheets, in parts: after each that has many rows others may
        have their turn.
        """
        rows, self._rows = self._rows, PendingRows()
        if any(deleted for _, _, _, deleted, *_ in rows.updated):
            # What is deleted may be expunged next: nothing of it is to stand where it was.
            with overwriting(self._connection):
                yield from rows.writing(self._connection)
        else:
            yield from rows.writing(self._connection)

    def settle(self) -> None:
        """Have all entries in the index; or raise ``Undone``."""
        self._expect_none_deferred()

    @property
    def has_sheets(self) -> bool:
        """Whether sheets have come that are neither in the index nor in the file."""
        return bool(self._sheets.waiting)

    def enter(self) -> None:
        """Write what is gathered of sheets: that of several goes into the index in one walk.

        It may be done in another thread: it needs Python but to begin.
        """
        self._sheets.insert()

    def keep(self) -> None:
        """Have what is gathered of sheets kept: in the index, or in the file for now."""
        if not (self._defers and self._sheets.defer()):
            self.enter()

    def close(self) -> None:
        """Let go of what was at hand: the transaction has ended."""
        self._sheets.close()

    def _turn(self, project: str) -> int:
        found = self._turns.get(project)
        if found is None:
            found = self._turns[project] = parameters.turn(self._connection, project)
        return found

    def _expect_none_deferred(self) -> None:
        if self._sheets.deferred:
            raise Undone

    def _expect(self, place: _ProjectKey, before: Stored | None) -> _Current | None:
        current = self._known[place] if place in self._known else self._current(place)
        if (current and current.version_id) != (before and before.version_id):
            raise Conflict(Key(*place[1:]))
        return current

    def _seen(self, place: _ProjectKey, row: Sequence[Any] | None) -> _Current | None:
        """Know a row of the table; one without a version gives way to what is written anew."""
        current = _Current(*row) if row else None
        if current is not None and not current.version_id:
            self._emptied[place], current = current.rid, None
        self._known[place] = current
        return current

    def _expect_kept(self, kept: Iterable[Kept]) -> None:
        sql = "SELECT value FROM private WHERE kind = ? AND name = ?"
        for one in kept:
            if not isinstance(one.before, Whatever):
                rows = fetch(self._connection, sql, (one.kind, one.name))
                if (rows[0][0] if rows else None) != one.before:
                    raise Conflict(Key(one.kind, one.name))

    def _next_position(self, pid: int, count: int) -> int:
        """The first of so many."""
        last = self._positions.get(pid)
        if last is None:
            last = position(self._connection, pid)
        self._positions[pid] = last + count
        return last + 1

    def _look_up(self, pid: int, places: list[_ProjectKey]) -> None:
        """Know the current versions of all of them by one statement."""
        unknown = [place for place in places if place not in self._known]
        rows = fetch(
            self._connection,
            "SELECT r.type, r.id, r.rid, r.number, r.version_id FROM json_each(?) k"
            " CROSS JOIN resource r ON r.id = k.value AND r.pid = ?",
            (as_json([id_ for _, _, id_ in unknown]), pid),
        )
        found = {(pid, type_, id_): current for type_, id_, *current in rows}
        for place in unknown:
            self._seen(place, found.get(place))

    def _current(self, place: _ProjectKey) -> _Current | None:
        pid, type_, id_ = place
        rows = fetch(
            self._connection,
            "SELECT rid, number, version_id FROM resource WHERE id = ? AND type = ? AND pid = ?",
            (id_, type_, pid),
        )
        return self._seen(place, rows[0] if rows else None)

    def _matches(self, project: str, pid: int, query: Query, limit: Limit) -> bool:
        if self._has_gathered and not self._cannot_match_gathered(project, pid, query):
            self.flush()
        if not self._exists(project, pid, query, limit):
            return False
        if not self._has_gathered:
            return True
        # What was found may be about to change.
        self.flush()
        return self._exists(project, pid, query, limit)

    @property
    def _has_gathered(self) -> bool:
        return bool(self._rows.rids or self._sheets.waiting or self._sheets.deferred)

    def _is_gathered(self, rid: int) -> bool:
        """Whether something of that resource is yet to be written."""
        if rid in self._rows.rids:
            return True
        # Of a sheet all are new, and so is what has come since.
        waiting = self._sheets.waiting
        if waiting and rid >= waiting[0][0]:
            return True
        return self._sheets.deferred.may_be_of(rid)

    def _exists(self, project: str, pid: int, query: Query, limit: Limit) -> bool:
        try:
            return self._watch.within(limit, lambda: self._searcher.exists(project, pid, query))
        except apsw.InterruptError:
            told = f"to look for what conditions match took longer than {LONGEST_LOOK:g} s"
            raise StoreSlow(told) from None

    def _cannot_match_gathered(self, project: str, pid: int, query: Query) -> bool:
        # A chain may lead through any of them.
        if any(map(looks_up, query.filters)):
            return False
        # Of what was updated only the entries are known that changed.
        if query.type in self._rows.updated_types:
            return False
        gathered = self._rows.keys_added() | self._sheets.keys()
        return any(
            gathered.isdisjoint(keys) and not self._lists.among(self._connection, keys)
            for keys in self._searcher.wanted(project, pid, query)
        )

    def _gather(
        self,
        place: _ProjectKey,
        change: int,
        write: Write,
        current: _Current | None,
        removed: Entries,
        added: Entries,
    ) -> None:
        rows = self._rows
        deleted = write.resource is None
        body = b"" if deleted else write.body
        marks = (write.version_id, write.updated, deleted, added.present, added.sort, write.author)
        if current is None:
            rid, number = self._next_rid, 1
            self._next_rid += 1
            if place in self._emptied:
                rows.emptied.append((self._emptied.pop(place),))
            rows.created.append((rid, *place, number, *marks, body))
        else:
            rid, number = current.rid, current.number + 1
            rows.superseded.append((rid,))
            rows.updated_types.add(write.type)
            rows.updated.append((number, *marks, body, rid))
        self._known[place] = _Current(rid, number, write.version_id)
        rows.rids.add(rid)
        rows.changes.append((place[0], change, rid, number))
        if added.places or added.placed:
            rows.postings_added += added.postings(rid)
        if added.texts:
            rows.texts_added += [(key, text, rid) for key, text in added.texts]
        if current is not None:
            rows.postings_removed += removed.postings(rid)
            rows.texts_removed += [(key, text, rid) for key, text in removed.texts]
        if write.content is not None:
            rows.contents.append((rid, write.version_id, write.content))
