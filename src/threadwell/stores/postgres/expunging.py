"""Rows of what is expunged: taken away.

What is left of a resource is one row with its type and id, and without a version: it stands for the
last of its changes, by which those who follow hear of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.stores.contract import Conflict, Kept, Key, Stored
from threadwell.stores.postgres.database import Connection, storable
from threadwell.stores.postgres.group_rows import Numbered
from threadwell.stores.postgres.news import numbering
from threadwell.stores.postgres.private import write_kept
from threadwell.stores.postgres.quick import NumberedProject
from threadwell.stores.postgres.transaction import current_rows
from threadwell.stores.sql.keys import Keys

_EXPUNGE = (
    "DELETE FROM version WHERE pid = $1 AND rid = ANY($2::bigint[])",
    "DELETE FROM content WHERE pid = $1 AND rid = ANY($2::bigint[])",
    "UPDATE resource SET number = number + 1, version_id = '', present = 0, sort = 0,"
    " author = '', body = '' WHERE pid = $1 AND rid = ANY($2::bigint[])",
)


async def expunge(
    connection: Connection,
    keys: Keys,
    numbered: NumberedProject,
    gone: Sequence[Stored],
    kept: Sequence[Kept],
) -> None:
    """Take away all versions and contents; or raise ``Conflict``, having removed none."""
    async with connection.transaction():
        names = [Key(one.type, one.id) for one in gone if storable(one.type, one.id)]
        currents = await current_rows(connection, numbered.pid, names)
        written = []
        for one in gone:
            current = currents.get(Key(one.type, one.id))
            # An attempt whose answer was lost may have removed it.
            if current is None or not current.version_id:
                continue
            if current.version_id != one.version_id:
                raise Conflict(Key(one.type, one.id))
            written.append(Numbered(current.rid, current.number + 1))
        rids = [rid for rid, _ in written]
        for sql in _EXPUNGE:
            await connection.execute(sql, numbered.pid, rids)
        await write_kept(connection, kept)
        if numbers := numbering(keys, numbered, written):
            await connection.execute(numbers)
