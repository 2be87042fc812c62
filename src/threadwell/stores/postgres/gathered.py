"""Rows on their way into the tables.

New rows go by one statement a table, one array a column. What changes or goes away goes a row
at a time, in one batch: a join with what is in a table has more than one plan, a row by its key
has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from threadwell.stores.contract import Key, Write
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.rows import beginning, text_bytes
from threadwell.stores.sql.prepare import Prepared

_RIDS = "SELECT nextval('rid') FROM generate_series(1, $1)"
_SUPERSEDE = """
INSERT INTO version SELECT pid, rid, number, version_id, updated, deleted, author, body
FROM resource WHERE pid = $1 AND rid = ANY($2::bigint[])
"""
_UPDATE = """
UPDATE resource SET number = $3, version_id = $4, updated = $5, deleted = $6, present = $7,
  sort = $8, author = $9, body = $10
WHERE pid = $1 AND rid = $2
"""
_CREATE = """
INSERT INTO resource
  (pid, rid, number, version_id, updated, deleted, present, sort, author, body, type, id)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[],
  $7::bigint[], $8::bigint[], $9::text[], $10::bytea[], $11::text[], $12::text[])
"""
_CONTENT = """
INSERT INTO content SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bytea[])
"""
_UNPOST = "DELETE FROM posting WHERE pid = $1 AND key = $2 AND sort = $3 AND rid = $4"
_POST = """
INSERT INTO posting SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])
ON CONFLICT DO NOTHING
"""
_UNFOLD = """
DELETE FROM folded WHERE pid = $1 AND key = $2 AND rid = $3 AND beginning = $4 AND text = $5
"""
_FOLD = """
INSERT INTO folded SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
"""


class Current(NamedTuple):
    """What is current of a resource, as far as writing needs it."""

    rid: int
    number: int
    version_id: str


class Numbered(NamedTuple):
    """A version, by the number of its resource and its own within it."""

    rid: int
    number: int


class Gathered:
    """The rows of many change sets of one project, which write each resource at most once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._writes: list[tuple[Prepared, int, Current | None]] = []

    def add(self, prepared: Prepared, currents: Mapping[Key, Current]) -> None:
        """Take a change set whose expectations hold."""
        for position, write in enumerate(prepared.change_set.writes):
            self._writes.append((prepared, position, currents.get(Key(write.type, write.id))))

    async def write(self, connection: Connection) -> list[Numbered]:
        """Write all of it, within the transaction that is open; the answer is what was written."""
        rows = _Rows()
        created = sum(current is None for _, _, current in self._writes)
        rids = iter(await connection.fetch(_RIDS, created) if created else ())
        written = []
        for prepared, position, current in self._writes:
            current = current or Current(next(rids)[0], 0, "")
            rows.add(prepared, position, current)
            written.append(Numbered(current.rid, current.number + 1))

        async def together(sql: str, of: Iterable[tuple[Any, ...]]) -> None:
            columns = list(zip(*of, strict=True))
            if columns:
                await connection.execute(sql, self._pid, *columns)

        async def each(sql: str, of: Iterable[tuple[Any, ...]]) -> None:
            rows = [(self._pid, *row) for row in of]
            if rows:
                await connection.executemany(sql, rows)

        await together(_SUPERSEDE, [row[:1] for row in rows.updated])
        await each(_UPDATE, rows.updated)
        # In the order of the ids: processes that make the same ones wait in one direction only.
        await together(_CREATE, sorted(rows.created, key=lambda row: (row[-1], row[-2])))
        await together(_CONTENT, rows.contents)
        await each(_UNPOST, sorted(rows.unposted))
        # By the lists of the index: neighbours go to one page while it is at hand.
        await together(_POST, sorted(rows.posted, key=itemgetter(0)))
        await each(_UNFOLD, rows.unfolded)
        await together(_FOLD, sorted(rows.folded))
        return written


class _Rows:
    """The rows by statement, without the number of the project."""

    def __init__(self) -> None:
        self.created: list[tuple[Any, ...]] = []
        self.updated: list[tuple[Any, ...]] = []
        self.contents: list[tuple[int, str, bytes]] = []
        self.unposted: list[tuple[int, int, int]] = []
        self.posted: list[tuple[int, int, int]] = []
        self.unfolded: list[tuple[int, int, bytes, bytes]] = []
        self.folded: list[tuple[int, int, bytes, bytes]] = []

    def add(self, prepared: Prepared, position: int, current: Current) -> None:
        write = prepared.change_set.writes[position]
        removed, added = prepared.removed[position], prepared.added[position]
        rid = current.rid
        row = (
            rid,
            current.number + 1,
            write.version_id,
            write.updated,
            write.resource is None,
            added.present,
            added.sort,
            write.author,
            _body(write),
        )
        if current.number:
            self.updated.append(row)
        else:
            self.created.append((*row, write.type, write.id))
        if write.content is not None:
            self.contents.append((rid, write.version_id, write.content))
        self.posted.extend([(key, sort, rid) for key, sort in added.postings])
        self.folded.extend(_texts(added.texts, rid))
        self.unposted.extend([(key, sort, rid) for key, sort in removed.postings])
        self.unfolded.extend(_texts(removed.texts, rid))


def _body(write: Write) -> bytes:
    return b"" if write.resource is None else write.body


def _texts(texts: Iterable[tuple[int, str]], rid: int) -> list[tuple[int, int, bytes, bytes]]:
    found = [(key, text_bytes(text)) for key, text in texts]
    return [(key, rid, beginning(text), text) for key, text in found]
