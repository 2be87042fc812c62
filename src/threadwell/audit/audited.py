"""A store whose commits are recorded, and whose reads are told to the witness of the request.

The record of a change is a private value of the same commit: there is none without the other. It
waits there (``PENDING``) to be chained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from threadwell.audit.record import Record, Touched, Who, encode_record
from threadwell.audit.witness import CURRENT
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import Clock, new_id
from threadwell.stores.contract import (
    ALWAYS,
    UNUSED,
    Change,
    ChangeSet,
    Kept,
    Key,
    Page,
    Span,
    Store,
    Stored,
    Write,
)

#: The kind of the records that wait in the store to be chained.
PENDING = "audit-new"


class Audited:
    """``store``, whose changes are recorded: as done by whoever asked, or else by ``by``.

    Whatever else a store has, it has too (``as_store``).
    """

    def __init__(self, store: Store, by: Who, clock: Clock) -> None:
        self._store = store
        self._by = by
        self._clock = clock
        # Asked before each request.
        self.home = store.home
        self.moment = store.moment
        #: Whether anything was committed.
        self.changed = False

    def as_store(self) -> Store:
        """It is one."""
        return cast(Store, self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        stored = await self._store.read(project, type_, id_)
        witness = CURRENT.get()
        if witness is not None and witness.wide:
            witness.saw(stored)
        return stored

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        found = await self._store.read_many(project, keys)
        witness = CURRENT.get()
        if witness is not None and witness.wide:
            witness.saw_all(found.values())
        return found

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        stored = await self._store.read_version(project, type_, id_, version_id)
        witness = CURRENT.get()
        if witness is not None and witness.wide:
            witness.saw(stored)
        return stored

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        found = await self._store.history(project, type_, id_, count, offset)
        witness = CURRENT.get()
        if witness is not None and witness.wide:
            witness.saw_all(found[0])
        return found

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        found = await self._store.recent(project, types, before, count, span)
        witness = CURRENT.get()
        if witness is not None and witness.wide:
            witness.saw_all(one.stored for one in found)
        return found

    async def search(self, project: str, query: Query) -> Page:
        page = await self._store.search(project, query)
        witness = CURRENT.get()
        if witness is not None and witness.wide:
            witness.saw_all(page.matches)
            if page.included:
                witness.saw_all(page.included)
        return page

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        if not change_set.writes:
            await self._store.commit(project, change_set)
            return
        witness = CURRENT.get()
        now = self._clock()
        touched = tuple([_touched(write) for write in change_set.writes])
        if witness is None:
            record = Record(at=now, act="change", by=self._by, touched=touched)
        else:
            record = witness.record(200, touched)
        kept = waiting(project, record, new_id(now))
        # ``dataclasses.replace`` takes several times as long.
        of = change_set
        recorded = ChangeSet(of.writes, of.unmatched, of.unchanged, (*of.kept, kept), of.worked)
        await self._store.commit(project, recorded)
        self.changed = True
        if witness is not None:
            witness.wrote = True

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        """As ``Store.expunge``, recorded: the record names what was removed."""
        now = self._clock()
        touched = tuple([Touched(one.type, one.id, one.version_id, "D") for one in gone])
        witness = CURRENT.get()
        by = self._by if witness is None else witness.by
        record = Record(at=now, act="expunge", by=by, touched=touched)
        await self._store.expunge(project, gone, (*kept, waiting(project, record, new_id(now))))
        self.changed = True
        if witness is not None:
            witness.wrote = True


def waiting(project: str, record: Record, id_: str) -> Kept:
    """A record that waits in the store, to go with a commit; ``id_`` is one of its own."""
    return Kept(PENDING, f"{project}/{id_}", encode_record(record), UNUSED)


def _touched(write: Write) -> Touched:
    before = write.before
    is_new = before is None or before.deleted
    how = "D" if write.resource is None else "C" if is_new else "U"
    return Touched(write.type, write.id, write.version_id, how)
