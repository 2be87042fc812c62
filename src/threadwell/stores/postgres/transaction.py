"""The change sets of one transaction: checked together, then written by a few statements.

What each of them expects is read, and locked against other processes, in one statement for all;
what they create is looked for only where a transaction broke before. One that conflicts is left
out; one that depends on another of the same transaction has to wait for the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Conflict, Kept, Key, Stored, Whatever
from threadwell.stores.postgres.database import Connection, storable
from threadwell.stores.postgres.group_rows import Current, GroupRows, Numbered
from threadwell.stores.postgres.private import current_kept
from threadwell.stores.postgres.quick import NumberedProject
from threadwell.stores.postgres.search import Searcher
from threadwell.stores.sql.condition import looks_up
from threadwell.stores.sql.conditions import Condition
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import Prepared
from threadwell.stores.sql.sheet import keys_in

_CURRENT = """
SELECT k.type, k.id, r.rid, r.number, r.version_id
FROM unnest($2::text[], $3::text[]) AS k(id, type)
CROSS JOIN LATERAL (
  SELECT rid, number, version_id FROM resource r
  WHERE r.pid = $1 AND r.id = k.id AND r.type = k.type LIMIT 1 FOR NO KEY UPDATE
) r
"""
_FILLED = """
SELECT k.key FROM unnest($2::bigint[]) AS k(key)
WHERE EXISTS (SELECT FROM posting p WHERE p.pid = $1 AND p.key = k.key OFFSET 0)
"""


async def current_rows(
    connection: Connection, pid: int, wanted: Iterable[Key]
) -> dict[Key, Current]:
    """What is there of resources, locked until the transaction ends; also rows without a version,
    which stand for what was expunged.
    """
    # In the order of the ids, so that two processes never wait for each other's locks.
    known = sorted((key.id, key.type) for key in wanted)
    if not known:
        return {}
    ids, types = zip(*known, strict=True)
    rows = await connection.fetch(_CURRENT, pid, ids, types)
    return {Key(row[0], row[1]): Current(*row[2:]) for row in rows}


class Later(Enum):
    """The verdict on a change set that depends on another one of the same transaction."""

    LATER = "later"


#: ``None`` for a change set that is written.
Verdict: TypeAlias = Conflict | Later | None


def locks(keys: Keys, group: Iterable[Prepared]) -> list[int]:
    """The advisory locks that the change sets need, in the order to take them.

    Of two processes that each write what the other must not find, one has to come first: all that
    have a condition on a type take turns.
    """
    types = {(p.project, u.query.type) for p in group for u in p.change_set.unmatched}
    return sorted(keys.key(f"{project}\0{type_}\0unmatched") for project, type_ in types)


async def write_group(
    connection: Connection,
    keys: Keys,
    numbered: NumberedProject,
    group: Sequence[Prepared],
    *,
    trusting: bool,
    joining: bool,
) -> tuple[list[Verdict], list[Numbered]]:
    """Write the change sets of one project, within the transaction that is open and has their
    ``locks``; the answer has a verdict on each, and every version that was written.

    ``trusting`` takes for granted that what is new is not there yet. Where it is, by someone who
    was a little faster, the transaction breaks at the unique index. ``joining`` is as in
    ``GroupRows``.
    """
    rows = GroupRows(numbered.pid, trusting=trusting, joining=joining)
    check = _Check(connection, keys, numbered, rows)
    verdicts = await check.verdicts(group, trusting=trusting)
    rows.kept = check.kept
    return verdicts, await rows.write(connection)


#: A resource, and the version of it that has to be current.
_Expected: TypeAlias = tuple[Key, Stored | None]


class _Term(NamedTuple):
    """A precondition: its query, and the lists that hold every match where it has some.

    ``exact``: a list that holds anything is a match.
    """

    query: Query
    keys: frozenset[int] | None
    exact: bool


class _Check:
    """Judges change sets in their order, each by the store as it is before the transaction, and
    gathers those that are written.
    """

    def __init__(
        self, connection: Connection, keys: Keys, numbered: NumberedProject, rows: GroupRows
    ) -> None:
        self._connection = connection
        self._searcher = Searcher(connection, keys, numbered)
        self._pid = numbered.pid
        self._rows = rows
        self._filled: set[int] = set()
        self._written: set[Key] = set()
        self._written_types: set[str] = set()
        self._updated_types: set[str] = set()
        self._written_keys: set[int] = set()
        self._currents: dict[Key, Current] = {}
        self._emptied: dict[Key, int] = {}
        self._current_kept: dict[Key, bytes] = {}
        self._kept_keys: set[Key] = set()
        self.kept: list[Kept] = []

    async def verdicts(self, group: Sequence[Prepared], *, trusting: bool) -> list[Verdict]:
        terms = [
            [self._term(unmatched.query) for unmatched in prepared.change_set.unmatched]
            for prepared in group
        ]
        expected = [_expected(prepared) for prepared in group]
        await self._look_up(
            {key for of in expected for key, before in of if before is not None or not trusting}
        )
        await self._look_up_lists(term for of in terms for term in of)
        every = [one for prepared in group for one in prepared.change_set.kept]
        self._current_kept = await current_kept(self._connection, every)
        last = max((at for at, of in enumerate(terms) if of), default=-1)
        verdicts = []
        for at, prepared in enumerate(group):
            kept = prepared.change_set.kept
            verdict = await self._verdict(expected[at], terms[at], kept)
            if verdict is None:
                self._take(prepared, expected[at], asked_later=at < last)
            verdicts.append(verdict)
        return verdicts

    async def _look_up(self, wanted: Iterable[Key]) -> None:
        found = await current_rows(
            self._connection, self._pid, [key for key in wanted if storable(*key)]
        )
        # What was expunged has no version: its row gives way to what is written anew.
        self._currents = {key: one for key, one in found.items() if one.version_id}
        self._emptied = {key: one.rid for key, one in found.items() if not one.version_id}

    async def _look_up_lists(self, terms: Iterable[_Term]) -> None:
        keys = {key for term in terms if term.exact and term.keys for key in term.keys}
        if keys:
            rows = await self._connection.fetch(_FILLED, self._pid, sorted(keys))
            self._filled = {row[0] for row in rows}

    async def _verdict(
        self, expected: Sequence[_Expected], terms: Sequence[_Term], kept: Sequence[Kept]
    ) -> Verdict:
        if not self._written.isdisjoint([key for key, _ in expected]):
            return Later.LATER
        if not self._kept_keys.isdisjoint([Key(one.kind, one.name) for one in kept]):
            return Later.LATER
        for one in kept:
            if isinstance(one.before, Whatever):
                continue
            name = Key(one.kind, one.name)
            if self._current_kept.get(name) != one.before:
                return Conflict(name)
        for key, before in expected:
            current = self._currents.get(key)
            if (current.version_id if current else None) != (before.version_id if before else None):
                return Conflict(key)
        for term in terms:
            if self._may_match_written(term):
                return Later.LATER
            if await self._matches(term):
                return Conflict(None)
        return None

    def _take(
        self, prepared: Prepared, expected: Sequence[_Expected], *, asked_later: bool
    ) -> None:
        """``asked_later``: a later change set has a term, which may match what this one writes."""
        change_set = prepared.change_set
        keys = [key for key, _ in expected[len(change_set.unchanged) :]]
        self._rows.add(prepared, [self._currents.get(key) for key in keys])
        if self._emptied:
            self._rows.emptied += [self._emptied[key] for key in keys if key in self._emptied]
        self._written.update(keys)
        self.kept += change_set.kept
        self._kept_keys.update([Key(one.kind, one.name) for one in change_set.kept])
        if asked_later:
            self._written_types.update([write.type for write in change_set.writes])
            self._updated_types.update([w.type for w in change_set.writes if w.before is not None])
            for added in prepared.added:
                self._written_keys.update(added.places)
                self._written_keys.update([key for key, _ in added.placed])
            if prepared.sheet is not None:
                self._written_keys.update(keys_in(prepared.sheet.lists))

    def _may_match_written(self, term: _Term) -> bool:
        # Of what was updated only the entries are known that changed.
        if term.keys is not None and term.query.type not in self._updated_types:
            return not term.keys.isdisjoint(self._written_keys)
        # A chain may lead through any type.
        return bool(self._written_types)

    async def _matches(self, term: _Term) -> bool:
        if term.exact and term.keys is not None:
            return not term.keys.isdisjoint(self._filled)
        return await self._searcher.exists(term.query)

    def _term(self, query: Query) -> _Term:
        if any(map(looks_up, query.filters)):
            return _Term(query, None, exact=False)
        conditions = self._searcher.conditions(query)
        listed = [c for c in conditions if c.keys is not None and not c.negate]
        if not listed:
            return _Term(query, None, exact=False)
        return _Term(query, frozenset(listed[0].keys or ()), _alone(conditions))


def _alone(conditions: Sequence[Condition]) -> bool:
    return len(conditions) == 1 and conditions[0].exact


def _expected(prepared: Prepared) -> list[_Expected]:
    """What a change set expects to be current: of what it leaves unchanged, then of its writes;
    ``None`` where nothing may be there.
    """
    change_set = prepared.change_set
    befores = [unchanged.before for unchanged in change_set.unchanged]
    expected: list[_Expected] = [(Key(before.type, before.id), before) for before in befores]
    expected += [(Key(write.type, write.id), write.before) for write in change_set.writes]
    return expected
