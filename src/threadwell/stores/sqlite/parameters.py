"""The search parameters of a project in its database, and the index brought in line with them."""

from __future__ import annotations

import apsw

from threadwell.stores.parameters import Changing, Parameters, read_parameters, write_parameters
from threadwell.stores.sql import indexing
from threadwell.stores.sql.indexing import (
    KEPT,
    SLICE,
    kept_name,
    lagging,
    turn_name,
)
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite.render import as_json
from threadwell.stores.sqlite.rows import fetch

_VALUE = "SELECT value FROM setting WHERE name = ?"


def turn(connection: apsw.Connection, project: str) -> int:
    """How often they have changed."""
    rows = fetch(connection, _VALUE, (turn_name(project),))
    return int(rows[0][0]) if rows else 0


def parameters(connection: apsw.Connection, project: str) -> Parameters:
    """Those of a project."""
    rows = fetch(connection, _VALUE, (kept_name(project),))
    return read_parameters(rows[0][0] if rows else None)


def know_all(connection: apsw.Connection, keys: Keys) -> None:
    """Have ``keys`` know of those of every project."""
    sql = "SELECT name, value FROM setting WHERE name >= ? AND name < ?"
    indexing.know_all(keys, dict(fetch(connection, sql, (KEPT, f"{KEPT}~"))))


def change(connection: apsw.Connection, project: str, changing: Changing) -> Parameters:
    """Change them, within the transaction that is open."""
    before = parameters(connection, project)
    after = changing(before)
    if after != before:
        _keep(connection, project, after)
    return after


def index_slice(connection: apsw.Connection, keys: Keys, project: str, pid: int) -> Parameters:
    """Bring some resources in line, within the transaction that is open; the answer is what there
    is to do after it.
    """
    now = parameters(connection, project)
    if not now.pending:
        return now
    if now.fading:
        _keep(connection, project, now.faded())
        return now.faded()
    first, last = now.after, now.after + SLICE
    rows = fetch(
        connection,
        "SELECT rid, updated, body, present FROM resource WHERE rid > ? AND rid <= ? AND pid = ?"
        " AND type IN (SELECT value FROM json_each(?)) AND NOT deleted ORDER BY rid",
        (first, last, pid, as_json(sorted(now.pending))),
    )
    removed, added, texts_removed, texts_added, marks = [], [], [], [], []
    for rid, updated, body, present in rows:
        less, more = lagging(keys, project, now, body, updated)
        removed += less.postings(rid)
        added += more.postings(rid)
        texts_removed += [(key, text, rid) for key, text in less.texts]
        texts_added += [(key, text, rid) for key, text in more.texts]
        if more.present != present:
            marks.append((more.present, rid))
    for sql, values in (
        ("DELETE FROM posting WHERE key = ? AND sort = ? AND rid = ?", removed),
        ("INSERT OR IGNORE INTO posting VALUES (?, ?, ?)", sorted(added)),
        ("DELETE FROM text WHERE key = ? AND folded = ? AND rid = ?", texts_removed),
        ("INSERT OR IGNORE INTO text VALUES (?, ?, ?)", sorted(texts_added)),
        ("UPDATE resource SET present = ? WHERE rid = ?", marks),
    ):
        connection.executemany(sql, values)
    ((end,),) = fetch(connection, "SELECT max(rid) FROM resource")
    after = now.finished() if last >= (end or 0) else Parameters(now.turn, now.listed, last)
    _keep(connection, project, after)
    return after


def _keep(connection: apsw.Connection, project: str, now: Parameters) -> None:
    for name, value in (
        (kept_name(project), write_parameters(now)),
        (turn_name(project), str(now.turn).encode()),
    ):
        connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))
