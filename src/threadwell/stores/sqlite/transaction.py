"""Change sets within one open transaction: checked against it, then gathered and written in bulk.

Statements are run for many rows at once. So that a later change set sees an earlier one of the
same transaction, what is gathered is written before anything that could depend on it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import apsw

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import (
    WHATEVER,
    Conflict,
    Kept,
    Key,
    Stored,
    StoreSlow,
    Write,
)
from threadwell.stores.parameters import Changing
from threadwell.stores.sql.condition import looks_up
from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.indexing import Stale
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import Prepared
from threadwell.stores.sqlite import parameters
from threadwell.stores.sqlite.expunging import expunge_rows, overwriting
from threadwell.stores.sqlite.heavy import Limit, Watch
from threadwell.stores.sqlite.news import position
from threadwell.stores.sqlite.render import as_json
from threadwell.stores.sqlite.rows import fetch
from threadwell.stores.sqlite.search import Searcher

#: How long the conditions of a change set may take within the transaction, where all others wait,
#: in seconds.
LONGEST_LOOK = 1.0
#: From so many writes on, what they follow is looked up at once.
_MANY = 20
#: Rows that are written at a time.
_PART = 5000
#: Rows of one statement.
_TOGETHER = 100

#: Number of the project, type and id.
_ProjectKey: TypeAlias = tuple[int, str, str]


class _Current(NamedTuple):
    rid: int
    number: int
    version_id: str


@dataclass(slots=True)
class _PendingRows:
    """Rows that are yet to be written, by statement."""

    created: list[tuple[Any, ...]] = field(default_factory=list)
    superseded: list[tuple[int]] = field(default_factory=list)
    updated: list[tuple[Any, ...]] = field(default_factory=list)
    contents: list[tuple[int, str, bytes]] = field(default_factory=list)
    postings_removed: list[tuple[int, int, int]] = field(default_factory=list)
    postings_added: list[tuple[int, int, int]] = field(default_factory=list)
    texts_removed: list[tuple[int, str, int]] = field(default_factory=list)
    texts_added: list[tuple[int, str, int]] = field(default_factory=list)
    changes: list[tuple[int, int, int, int]] = field(default_factory=list)
    emptied: list[tuple[int]] = field(default_factory=list)
    rids: set[int] = field(default_factory=set)
    updated_types: set[str] = field(default_factory=set)
    _keys: set[int] = field(default_factory=set)
    _keyed: int = 0

    def keys_added(self) -> set[int]:
        """The lists that get entries; each entry is looked at once, however often this is asked."""
        self._keys.update([key for key, _, _ in self.postings_added[self._keyed :]])
        self._keyed = len(self.postings_added)
        return self._keys


class Transaction:
    """The change sets of one transaction, which the caller begins and ends."""

    def __init__(
        self,
        connection: apsw.Connection,
        searcher: Searcher,
        watch: Watch,
        pid: Callable[[str], int],
    ) -> None:
        self._connection = connection
        self._watch = watch
        self._searcher = searcher
        self._pid = pid
        self._known: dict[_ProjectKey, _Current | None] = {}
        self._emptied: dict[_ProjectKey, int] = {}
        self._rows = _PendingRows()
        ((last,),) = fetch(connection, "SELECT max(rid) FROM resource")
        self._next_rid = (last or 0) + 1
        self._positions: dict[int, int] = {}
        self._turns: dict[str, int] = {}

    def apply(self, prepared: Prepared) -> None:
        """Gather a change set; or raise ``Conflict``, ``Stale``, or ``StoreSlow`` where too much
        has to be looked through for an ``Unmatched``, with nothing of it gathered.
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
        limit = Limit(LONGEST_LOOK)
        for unmatched in change_set.unmatched:
            if self._matches(prepared.project, pid, unmatched.query, limit):
                raise Conflict(None)
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
        """Remove every version of what is deleted; or raise ``Conflict``, having removed none.

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
        """Change the search parameters of a project: what is prepared by then is ``Stale``."""
        found = parameters.change(self._connection, project, changing)
        self._turns[project] = found.turn

    def index(self, keys: Keys, project: str) -> None:
        """Bring the index of some resources in line with the search parameters."""
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
        """Write what is gathered."""
        for _ in self.flushing():
            pass

    def flushing(self) -> Iterator[None]:
        """The same in parts: after each that has many rows others may have their turn."""
        rows, self._rows = self._rows, _PendingRows()
        if any(deleted for _, _, _, deleted, *_ in rows.updated):
            # What is deleted may be expunged next: nothing of it is to stand where it was.
            with overwriting(self._connection):
                yield from self._writing(rows)
        else:
            yield from self._writing(rows)

    def _writing(self, rows: _PendingRows) -> Iterator[None]:
        # By the lists of the index: neighbours go to one page while it is at hand.
        rows.postings_added.sort(key=itemgetter(0))
        written = 0
        for sql, waiting in _statements(rows):
            for at in range(0, len(waiting), _PART):
                part = waiting[at : at + _PART] if len(waiting) > _PART else waiting
                if " VALUES (" in sql:
                    self._insert(sql, part)
                else:
                    self._connection.executemany(sql, part)
                written += len(part)
                if written >= _PART:
                    yield
                    written = 0

    def _insert(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows, many by a statement.

        To begin and end one costs a fourth of what it takes to add an entry to the index; and it
        gives other threads Python's lock, which takes long to come back from them.
        """
        many = len(rows) - len(rows) % _TOGETHER
        if many:
            columns = len(rows[0])
            values = list(chain.from_iterable(rows[:many]))
            width = columns * _TOGETHER
            runs = [values[at : at + width] for at in range(0, len(values), width)]
            self._connection.executemany(_together(sql, columns), runs)
            rows = rows[many:]
        self._connection.executemany(sql, rows)

    def _turn(self, project: str) -> int:
        found = self._turns.get(project)
        if found is None:
            found = self._turns[project] = parameters.turn(self._connection, project)
        return found

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
            if one.before is not WHATEVER:
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
        if self._rows.rids and not self._cannot_match_gathered(project, pid, query):
            self.flush()
        if not self._exists(project, pid, query, limit):
            return False
        if not self._rows.rids:
            return True
        # What was found may be about to change.
        self.flush()
        return self._exists(project, pid, query, limit)

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
        gathered = self._rows.keys_added()
        return any(
            condition.keys is not None
            and not condition.negate
            and gathered.isdisjoint(condition.keys)
            for condition in self._searcher.conditions(project, pid, query)
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
        if current and current.rid in self._rows.rids:
            self.flush()
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
        rows.postings_added += added.postings(rid)
        if added.texts:
            rows.texts_added += [(key, text, rid) for key, text in added.texts]
        if current is not None:
            rows.postings_removed += removed.postings(rid)
            rows.texts_removed += [(key, text, rid) for key, text in removed.texts]
        if write.content is not None:
            rows.contents.append((rid, write.version_id, write.content))


@cache
def _together(sql: str, columns: int) -> str:
    """What inserts ``_TOGETHER`` rows as ``sql`` inserts one."""
    return sql + f", ({', '.join('?' * columns)})" * (_TOGETHER - 1)


def _statements(rows: _PendingRows) -> Iterable[tuple[str, list[Any]]]:
    """What writes the rows, in the order in which it has to be done."""
    return (
        ("DELETE FROM resource WHERE rid = ?", rows.emptied),
        (
            "INSERT INTO version SELECT rid, number, version_id, updated, deleted, author, body"
            " FROM resource WHERE rid = ?",
            rows.superseded,
        ),
        (
            "UPDATE resource SET number = ?, version_id = ?, updated = ?, deleted = ?,"
            " present = ?, sort = ?, author = ?, body = ? WHERE rid = ?",
            rows.updated,
        ),
        ("INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows.created),
        ("INSERT INTO content VALUES (?, ?, ?)", rows.contents),
        ("DELETE FROM posting WHERE key = ? AND sort = ? AND rid = ?", rows.postings_removed),
        ("INSERT OR IGNORE INTO posting VALUES (?, ?, ?)", rows.postings_added),
        ("DELETE FROM text WHERE key = ? AND folded = ? AND rid = ?", rows.texts_removed),
        ("INSERT OR IGNORE INTO text VALUES (?, ?, ?)", rows.texts_added),
        ("INSERT INTO change VALUES (?, ?, ?, ?)", rows.changes),
    )
