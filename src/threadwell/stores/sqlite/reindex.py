"""Makes the index of a database anew: after a change of what the index holds, or of extraction."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import apsw

from threadwell.stores.sql.entries import (
    INDEX_VERSION,
    TOLD,
    Entries,
    entries_of_body,
    is_current,
    lacking,
)
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite.database import setting
from threadwell.stores.sqlite.render import as_json
from threadwell.stores.sqlite.rows import fetch

_AT_ONCE = 1000

_log = logging.getLogger(__name__)


def reindex_if_old(connection: apsw.Connection, keys: Keys) -> None:
    """Bring the index to ``INDEX_VERSION``, all at once or not at all.

    Raises ``StoreError`` where a newer Threadwell has made it.
    """
    if is_current(setting(connection, "index")):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        types = lacking(setting(connection, "index"))
        if types is None:
            ((resources,),) = fetch(connection, "SELECT count(*) FROM resource", ())
            if resources >= _AT_ONCE:
                _log.warning(TOLD, resources)
            reindex(connection, keys)
        else:
            _add(connection, keys, types)
        connection.execute(
            "UPDATE setting SET value = ? WHERE name = 'index'", (str(INDEX_VERSION).encode(),)
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def reindex(connection: apsw.Connection, keys: Keys) -> None:
    """Write every entry anew, within the transaction that is open."""
    connection.execute("DELETE FROM posting; DELETE FROM text; DELETE FROM sheet")
    for found in _entries(connection, keys):
        connection.executemany(
            "INSERT INTO posting VALUES (?, ?, ?)",
            sorted(posting for rid, e in found for posting in e.postings(rid)),
        )
        connection.executemany(
            "INSERT INTO text VALUES (?, ?, ?)",
            sorted((key, text, rid) for rid, e in found for key, text in e.texts),
        )
        connection.executemany(
            "UPDATE resource SET present = ?, sort = ? WHERE rid = ?",
            ((e.present, e.sort, rid) for rid, e in found),
        )


def _add(connection: apsw.Connection, keys: Keys, types: tuple[str, ...]) -> None:
    """Write what is lacking of resources of these types, within the transaction that is open."""
    for found in _entries(connection, keys, types):
        connection.executemany(
            "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)",
            sorted(posting for rid, e in found for posting in e.postings(rid)),
        )


def _entries(
    connection: apsw.Connection, keys: Keys, types: tuple[str, ...] | None = None
) -> Iterator[list[tuple[int, Entries]]]:
    """The resources by number, of some ``types`` or of all, with what they are found by."""
    last = 0
    of_types = "" if types is None else " AND r.type IN (SELECT value FROM json_each(?3))"
    while rows := fetch(
        connection,
        "SELECT r.rid, p.name, r.updated, r.body FROM resource r JOIN project p USING (pid)"
        f" WHERE r.rid > ?1{of_types} AND NOT r.deleted ORDER BY r.rid LIMIT ?2",
        (last, _AT_ONCE, *(() if types is None else (as_json(types),))),
    ):
        last = rows[-1][0]
        yield [(rid, entries_of_body(keys, name, body, at)) for rid, name, at, body in rows]
