"""What was committed, in order, and how a process hears that another one has committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import apsw

from threadwell.stores.contract import Change, Position, Span
from threadwell.stores.sqlite.rows import COLUMNS, fetch, row_to_stored

#: How long another process's commit may go unheard, in seconds. A message passes two of them on its
#: way from a provider to an open page, and a look costs some microseconds.
_TICK = 0.02

#: Changes that are looked through at a time for those that somebody asks for.
STRETCH = 2_000

POSITION = "SELECT max(position) FROM change WHERE pid = ?"
#: The changes of project ?1 after position ?2, up to ?3.
CHANGES = f"""
SELECT {COLUMNS}, c.rid, c.number, c.position FROM change c
CROSS JOIN resource r ON r.rid = c.rid AND r.number = c.number
WHERE c.pid = ?1 AND c.position > ?2 AND c.position <= ?3
UNION ALL
SELECT r.type, r.id, v.version_id, v.updated, v.deleted, v.body, v.author, c.rid, c.number,
  c.position FROM change c
CROSS JOIN version v ON v.rid = c.rid AND v.number = c.number
CROSS JOIN resource r ON r.rid = c.rid
WHERE c.pid = ?1 AND c.position > ?2 AND c.position <= ?3
ORDER BY position
"""
#: The version of a change, and until when it was the current one.
_MADE = "iif(r.number = c.number, r.updated, v.updated)"
_UNTIL = """CASE r.number - c.number WHEN 0 THEN 1 << 62 WHEN 1 THEN r.updated ELSE
  (SELECT n.updated FROM version n WHERE n.rid = c.rid AND n.number = c.number + 1) END"""
#: The changes of project ?1 before position ?2 and from ?7 on, the last one first, of the span of
#: ?4 to ?6.
_RECENT = f"""
SELECT r.type, r.id, iif(r.number = c.number, r.version_id, v.version_id), {_MADE},
  iif(r.number = c.number, r.deleted, v.deleted), iif(r.number = c.number, r.body, v.body),
  iif(r.number = c.number, r.author, v.author), c.rid, c.number, c.position
FROM change c
CROSS JOIN resource r ON r.rid = c.rid
LEFT JOIN version v ON v.rid = c.rid AND v.number = c.number AND r.number <> c.number
WHERE c.pid = ?1 AND c.position < ?2 AND c.position >= ?7
  AND {_MADE} * 1000 >= ?4 AND {_MADE} * 1000 < ?6
  AND min({_UNTIL}, 1 << 51) * 1000 > ?5 AND (r.version_id <> '' OR r.number <> c.number) TYPES
ORDER BY c.position DESC LIMIT ?3
"""


def position(connection: apsw.Connection, pid: int) -> int:
    """The position of a project's last change; 0 where there is none."""
    ((last,),) = fetch(connection, POSITION, (pid,))
    return last or 0


def changes(connection: apsw.Connection, pid: int, after: int, count: int) -> list[Change]:
    """Some of the changes after that position, at most ``count``; ``[]`` if there are none."""
    rows = fetch(connection, CHANGES, (pid, after, after + count))
    if not rows:
        # All of these may have been expunged. The last change is always there.
        last = position(connection, pid)
        while not rows and after < last:
            after += max(count, STRETCH)
            rows = fetch(
                connection, f"{CHANGES} LIMIT ?4", (pid, after - max(count, STRETCH), after, count)
            )
    return [
        Change(position, row_to_stored(tuple(columns)), Position(rid, number))
        for *columns, rid, number, position in rows
    ]


def recent(
    connection: apsw.Connection,
    pid: int,
    types: Sequence[str],
    before: int,
    count: int,
    span: Span,
    first: int,
) -> list[Change]:
    """Some of the changes before a position and from ``first`` on, the last one first."""
    chosen = f"AND r.type IN ({','.join('?' * len(types))})" if types else ""
    sql = _RECENT.replace("TYPES", chosen)
    rows = fetch(connection, sql, (pid, before, count, *span, first, *types))
    return [
        Change(position, row_to_stored(tuple(columns)), Position(rid, number))
        for *columns, rid, number, position in rows
    ]


async def listen(connection: apsw.Connection, ring: Callable[[], None]) -> None:
    """Ring now, and whenever anybody else has written to the file."""
    seen = None
    while True:
        # A look at a page that all processes share in memory: some microseconds.
        with suppress(apsw.Error):
            ((version,),) = fetch(connection, "PRAGMA data_version")
            if version != seen:
                seen = version
                ring()
        await asyncio.sleep(_TICK)
