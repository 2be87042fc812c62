"""Takes a FHIR base for one of our own: what refers to something below it is put into the index
anew.
"""

from __future__ import annotations

import apsw

from threadwell.fhir.json import decode
from threadwell.stores.sql.bases import SETTING, read_bases, write_bases
from threadwell.stores.sql.entries import difference, entries
from threadwell.stores.sql.keys import Keys, below
from threadwell.stores.sqlite.render import as_json
from threadwell.stores.sqlite.rows import fetch

_AT_ONCE = 1000
_REFERRING = """
SELECT DISTINCT r.rid, r.updated, r.body FROM posting d CROSS JOIN resource r ON r.rid = d.rid
WHERE d.key IN (SELECT value FROM json_each(?)) AND r.rid > ? ORDER BY r.rid LIMIT ?
"""


def read_known(connection: apsw.Connection) -> frozenset[str]:
    """The bases that the database's resources are known under."""
    rows = fetch(connection, "SELECT value FROM setting WHERE name = ?", (SETTING,))
    return read_bases(rows[0][0] if rows else None)


def is_known(connection: apsw.Connection, keys: Keys) -> bool:
    """Whether all bases of ``keys`` are, and nothing in the index is older than that."""
    return keys.bases.own <= read_known(connection) and not any(
        fetch(connection, _REFERRING, (_lists(keys, project), 0, 1))
        for (project,) in fetch(connection, "SELECT name FROM project")
    )


def know(connection: apsw.Connection, keys: Keys) -> None:
    """Keep the bases of ``keys``, and index anew what refers to something below one of them.

    Within the transaction that is open.
    """
    keys.bases.own |= read_known(connection)
    connection.execute(
        "INSERT OR REPLACE INTO setting VALUES (?, ?)", (SETTING, write_bases(keys.bases.own))
    )
    for (project,) in fetch(connection, "SELECT name FROM project"):
        _index_anew(connection, keys, project)


def _index_anew(connection: apsw.Connection, keys: Keys, project: str) -> None:
    lists, last = _lists(keys, project), 0
    while rows := fetch(connection, _REFERRING, (lists, last, _AT_ONCE)):
        last = rows[-1][0]
        for rid, updated, body in rows:
            resource = decode(body)
            now = entries(keys, project, resource, updated)
            removed, added = difference(keys, project, resource, updated, now)
            connection.executemany(
                "DELETE FROM posting WHERE key = ? AND sort = ? AND rid = ?", removed.postings(rid)
            )
            connection.executemany(
                "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)", added.postings(rid)
            )


def _lists(keys: Keys, project: str) -> str:
    return as_json([keys.key(below(project, base)) for base in keys.bases.own])
