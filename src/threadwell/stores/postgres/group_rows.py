"""Rows on their way into the tables.

What is new goes by ``COPY``, as fast as a table takes it, entries in the order of the index; those
of a sheet are in it as they are copied. Of a resource that was there, another version of Threadwell
may have made new entries already. Where that is likely, or a transaction broke at one, they go by a
statement that passes over what is there. What changes or goes away goes by a join of arrays with
the table. That has one plan, by the key, where we set how plans are made; behind a pooler and on
several nodes it goes a row at a time. Where there is one plan, and not much to write, all goes by
one statement, but for new entries where these are many (``one_statement``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import asyncpg

from threadwell.stores.contract import Kept, Write
from threadwell.stores.postgres import one_statement
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.private import new_kept, write_kept
from threadwell.stores.postgres.rows import beginning, text_bytes
from threadwell.stores.sql.entries import Entries
from threadwell.stores.sql.packed_rows import Lists, copy, numbered
from threadwell.stores.sql.prepare import Prepared
from threadwell.stores.sql.sheet import Sheet


class _Change(NamedTuple):
    """What changes rows of a project by their keys: one, by its values, or all, by columns."""

    of_one: str
    joined: str


_RIDS = "SELECT nextval('rid') FROM generate_series(1, $1)"
_SUPERSEDE = """
INSERT INTO version SELECT pid, rid, number, version_id, updated, deleted, author, body
FROM resource WHERE pid = $1 AND rid = ANY($2::bigint[])
"""
_UPDATE = _Change(
    """
UPDATE resource SET number = $3, version_id = $4, updated = $5, deleted = $6, present = $7,
  sort = $8, author = $9, body = $10
WHERE pid = $1 AND rid = $2
""",
    """
UPDATE resource r SET number = k.number, version_id = k.version_id, updated = k.updated,
  deleted = k.deleted, present = k.present, sort = k.sort, author = k.author, body = k.body
FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::bigint[],
    $8::bigint[], $9::text[], $10::bytea[])
  AS k(rid, number, version_id, updated, deleted, present, sort, author, body)
WHERE r.pid = $1 AND r.rid = k.rid
""",
)
_GIVE_WAY = "DELETE FROM resource WHERE pid = $1 AND rid = ANY($2::bigint[])"
_CONTENT = """
INSERT INTO content SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bytea[])
"""
_UNPOST = _Change(
    "DELETE FROM posting WHERE pid = $1 AND key = $2 AND sort = $3 AND rid = $4",
    """
DELETE FROM posting p USING unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS k(key, sort, rid)
WHERE p.pid = $1 AND p.key = k.key AND p.sort = k.sort AND p.rid = k.rid
""",
)
_POST = """
INSERT INTO posting SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])
ON CONFLICT DO NOTHING
"""
_UNFOLD = _Change(
    """
DELETE FROM folded WHERE pid = $1 AND key = $2 AND rid = $3 AND beginning = $4 AND text = $5
""",
    """
DELETE FROM folded f USING unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
  AS k(key, rid, beginning, text)
WHERE f.pid = $1 AND f.key = k.key AND f.rid = k.rid AND f.beginning = k.beginning
  AND f.text = k.text
""",
)
#: The columns of what is copied.
_RESOURCE = (
    *("pid", "rid", "number", "version_id", "updated", "deleted", "present", "sort", "author"),
    *("body", "type", "id"),
)
_POSTING = ("pid", "key", "sort", "rid")
_FOLDED = ("pid", "key", "rid", "beginning", "text")
#: Resources whose entries are made at a time, until others have their turn.
_SLICE = 50
#: So many new entries, and bytes of bodies, go by one statement with all else: more cost less by
#: ``COPY``, for all that it is on its way twice.
_FEW, _SMALL = 64, 256 * 1024


class Current(NamedTuple):
    """What is current of a resource, as far as writing needs it."""

    rid: int
    number: int
    version_id: str


class Numbered(NamedTuple):
    """A version, by the number of its resource and its own within it."""

    rid: int
    number: int


class GroupRows:
    """The rows of many change sets of one project, which write each resource at most once.

    ``trusting`` takes for granted that no new entry is there yet; ``joining`` tells that a join has
    one plan.
    """

    def __init__(self, pid: int, *, trusting: bool, joining: bool) -> None:
        self._pid = pid
        self._trusting = trusting
        self._joining = joining
        self._writes: list[tuple[Write, Current | None, Entries, Entries]] = []
        self._new = 0
        #: Each with how many new resources stand before its own.
        self._sheets: list[tuple[int, Sheet]] = []
        #: Rows of what was expunged, that give way to what has their ids now.
        self.emptied: list[int] = []
        #: Private values that are written along.
        self.kept: list[Kept] = []

    def add(self, prepared: Prepared, currents: Sequence[Current | None]) -> None:
        """Take a change set whose expectations hold, and what is current of each of its writes."""
        parts = prepared.change_set.writes, currents, prepared.removed, prepared.added
        self._writes += zip(*parts, strict=True)
        if prepared.sheet is not None:
            self._sheets.append((self._new, prepared.sheet))
        self._new += currents.count(None)

    async def write(self, connection: Connection) -> list[Numbered]:
        """Write all of it, within the transaction that is open; the answer is what was written: of
        the resources.
        """
        if not self._writes:
            await write_kept(connection, self.kept)
            return []
        rows = _Rows(self._pid, trusting=self._trusting)
        rids = [row[0] for row in await connection.fetch(_RIDS, self._new)] if self._new else []
        following = iter(rids)
        currents = [current or Current(next(following), 0, "") for _, current, _, _ in self._writes]
        for (write, _, _, added), current in zip(self._writes, currents, strict=True):
            rows.add_version(write, current, added)
        many = self._sheets or self.emptied or rows.contents or rows.size > _SMALL
        if self._joining and not many:
            await self._write_small(connection, rows, currents)
        else:
            await self._write_much(connection, rows, currents, rids)
            await write_kept(connection, self.kept)
        return [Numbered(current.rid, current.number + 1) for current in currents]

    async def _write_small(
        self, connection: Connection, rows: _Rows, currents: Sequence[Current]
    ) -> None:
        few = sum([len(a.places) + len(a.placed) for _, _, _, a in self._writes]) <= _FEW
        new: list[tuple[int, int, int]] | None = [] if few else None
        for at, (_, _, removed, added) in enumerate(self._writes):
            rows.add_entries(currents[at], removed, added, new)
        # In the order of the ids, of the lists and of the names, as ``_write_much``.
        rows.created.sort(key=itemgetter(-1, -2))
        kept, others = new_kept(self.kept)
        parts = one_statement
        await parts.write_together(
            connection,
            self._pid,
            (
                (parts.SUPERSEDE, [row[:1] for row in rows.updated]),
                (parts.UPDATE, rows.updated),
                (parts.CREATE, [row[1:] for row in rows.created]),
                (parts.UNPOST, sorted(rows.unposted)),
                (parts.POST_NEW, sorted(new or ())),
                (parts.POST, sorted(rows.posted)),
                (parts.UNFOLD, rows.unfolded),
                (parts.FOLD, sorted(rows.folded)),
                (parts.KEEP, kept),
            ),
        )
        await _copied(connection, [rows.posted_new.rows(self._pid)])
        await write_kept(connection, others)

    async def _write_much(
        self,
        connection: Connection,
        rows: _Rows,
        currents: Sequence[Current],
        rids: Sequence[int],
    ) -> None:
        pid = self._pid

        async def together(sql: str, of: Iterable[tuple[Any, ...]]) -> None:
            columns = list(zip(*of, strict=True))
            if columns:
                await connection.execute(sql, pid, *columns)

        async def each(change: _Change, of: Sequence[tuple[Any, ...]]) -> None:
            if self._joining:
                await together(change.joined, of)
            elif of:
                await connection.executemany(change.of_one, [(pid, *row) for row in of])

        async def copied(
            table: str, columns: tuple[str, ...], records: list[tuple[Any, ...]]
        ) -> None:
            if not records:
                return
            try:
                await connection.copy_records_to_table(table, records=records, columns=columns)
            except UnicodeEncodeError:  # of a statement's parameters the driver tells this itself
                raise asyncpg.DataError(f"a text for {table} is not Unicode") from None

        async def versions() -> None:
            await together(_SUPERSEDE, [row[:1] for row in rows.updated])
            await each(_UPDATE, rows.updated)
            if self.emptied:
                await connection.execute(_GIVE_WAY, pid, self.emptied)
            # In the order of the ids: processes that make the same ones wait in one direction only.
            rows.created.sort(key=itemgetter(-1, -2))
            await copied("resource", _RESOURCE, rows.created)
            await together(_CONTENT, rows.contents)

        # While the server is at these, the entries are made.
        writing = asyncio.ensure_future(versions())
        try:
            for at, (_, _, removed, added) in enumerate(self._writes):
                if at % _SLICE == 0:
                    await asyncio.sleep(0)
                rows.add_entries(currents[at], removed, added)
            # By the lists of the index: neighbours go to one page while it is at hand.
            entries = [rows.posted_new.rows(pid)]
            for first, sheet in self._sheets:
                await asyncio.sleep(0)
                entries.append(numbered(sheet.image, pid, rids[first : first + sheet.new]))
        finally:
            await writing
        await each(_UNPOST, sorted(rows.unposted))
        await _copied(connection, entries)
        await together(_POST, sorted(rows.posted, key=itemgetter(0)))
        await each(_UNFOLD, rows.unfolded)
        await copied("folded", _FOLDED, sorted((pid, *row) for row in rows.folded))


async def _copied(connection: Connection, entries: Sequence[bytes]) -> None:
    """Write packed entries, if there are any."""
    if any(entries):
        copying = memoryview(copy(entries))
        await connection.copy_to_table("posting", source=copying, columns=_POSTING, format="binary")


class _Rows:
    """The rows by statement; those that are copied as ``_RESOURCE`` says or packed, the others
    without the number of the project.
    """

    def __init__(self, pid: int, *, trusting: bool) -> None:
        self._pid = pid
        self._trusting = trusting
        #: Bytes of bodies.
        self.size = 0
        self.created: list[tuple[Any, ...]] = []
        self.updated: list[tuple[Any, ...]] = []
        self.contents: list[tuple[int, str, bytes]] = []
        self.unposted: list[tuple[int, int, int]] = []
        self.posted: list[tuple[int, int, int]] = []
        self.posted_new = Lists()
        self.unfolded: list[tuple[int, int, bytes, bytes]] = []
        self.folded: list[tuple[int, int, bytes, bytes]] = []

    def add_version(self, write: Write, current: Current, added: Entries) -> None:
        rid, body = current.rid, _body(write)
        self.size += len(body)
        row = (
            rid,
            current.number + 1,
            write.version_id,
            write.updated,
            write.resource is None,
            added.present,
            added.sort,
            write.author,
            body,
        )
        if current.number:
            self.updated.append(row)
        else:
            self.created.append((self._pid, *row, write.type, write.id))
        if write.content is not None:
            self.contents.append((rid, write.version_id, write.content))

    def add_entries(
        self,
        current: Current,
        removed: Entries,
        added: Entries,
        new: list[tuple[int, int, int]] | None = None,
    ) -> None:
        """Add the entries of a resource; into ``new``, if given, those that are packed else."""
        rid = current.rid
        self.folded += _texts(added.texts, rid)
        if current.number:
            self.unposted += removed.postings(rid)
            self.unfolded += _texts(removed.texts, rid)
            # What hangs on which bases are our own may be there, by who knew of as many.
            if removed.absolute or not self._trusting:
                self.posted += added.postings(rid)
                return
        if new is None:
            self.posted_new.add(added, rid)
        else:
            new += added.postings(rid)


def _body(write: Write) -> bytes:
    return b"" if write.resource is None else write.body


def _texts(texts: Iterable[tuple[int, str]], rid: int) -> list[tuple[int, int, bytes, bytes]]:
    found = [(key, text_bytes(text)) for key, text in texts]
    return [(key, rid, beginning(text), text) for key, text in found]
