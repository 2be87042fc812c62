"""The rows of a small group of change sets, written by one statement.

A statement's way to the server and back costs as much as some dozens of entries, on either side,
and a group of a few change sets would have seven of them. Here each kind of row is one part of a
single statement: whatever it changes, it sees the tables as they were before.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from threadwell.stores.postgres.database import Connection


class Part(NamedTuple):
    """What is done with rows: ``{}`` stands for these as a table, and ``types`` are its columns'.

    $1 is the number of the project.
    """

    sql: str
    types: tuple[str, ...]


_INT, _TEXT, _BYTES = "bigint", "text", "bytea"
_ENTRY = (_INT, _INT, _INT)
_FOLDED = (_INT, _INT, _BYTES, _BYTES)
_VERSION = (_INT, _INT, _TEXT, _INT, "boolean", _INT, _INT, _TEXT, _BYTES)

SUPERSEDE = Part(
    "INSERT INTO version SELECT r.pid, r.rid, r.number, r.version_id, r.updated, r.deleted,"
    " r.author, r.body FROM {} AS k(rid) JOIN resource r ON r.pid = $1::bigint AND r.rid = k.rid",
    (_INT,),
)
UPDATE = Part(
    "UPDATE resource r SET number = k.number, version_id = k.version_id, updated = k.updated,"
    " deleted = k.deleted, present = k.present, sort = k.sort, author = k.author, body = k.body"
    " FROM {} AS k(rid, number, version_id, updated, deleted, present, sort, author, body)"
    " WHERE r.pid = $1::bigint AND r.rid = k.rid",
    _VERSION,
)
CREATE = Part(
    "INSERT INTO resource (pid, rid, number, version_id, updated, deleted, present, sort, author,"
    " body, type, id) SELECT $1::bigint, k.* FROM {} AS k",
    (*_VERSION, _TEXT, _TEXT),
)
UNPOST = Part(
    "DELETE FROM posting p USING {} AS k(key, sort, rid)"
    " WHERE p.pid = $1::bigint AND p.key = k.key AND p.sort = k.sort AND p.rid = k.rid",
    _ENTRY,
)
POST_NEW = Part("INSERT INTO posting SELECT $1::bigint, k.* FROM {} AS k", _ENTRY)
POST = Part(f"{POST_NEW.sql} ON CONFLICT DO NOTHING", _ENTRY)
UNFOLD = Part(
    "DELETE FROM folded f USING {} AS k(key, rid, beginning, text) WHERE f.pid = $1::bigint"
    " AND f.key = k.key AND f.rid = k.rid AND f.beginning = k.beginning AND f.text = k.text",
    _FOLDED,
)
FOLD = Part(
    "INSERT INTO folded (pid, key, rid, beginning, text) SELECT $1::bigint, k.* FROM {} AS k",
    _FOLDED,
)
KEEP = Part("INSERT INTO private SELECT k.* FROM {} AS k", (_TEXT, _TEXT, _BYTES))


async def write_together(
    connection: Connection, pid: int, parts: Iterable[tuple[Part, list[tuple[Any, ...]]]]
) -> None:
    """Do what each part says with its rows; a part without rows is left out."""
    filled = [(part, rows) for part, rows in parts if rows]
    if not filled:
        return
    values = [
        # The driver looks at each number of an array several times over; of a text, at none.
        f"{{{','.join(map(str, column))}}}" if type_ == _INT else column
        for part, rows in filled
        for type_, column in zip(part.types, zip(*rows, strict=True), strict=True)
    ]
    await connection.execute(statement(tuple([part for part, _ in filled])), pid, *values)


@cache
def statement(parts: tuple[Part, ...]) -> str:
    """The statement of these parts, which takes the project's number and then all columns.

    Columns of numbers are texts in the form of arrays.
    """
    at, made = 2, list[str]()
    for part in parts:
        columns = []
        for type_ in part.types:
            columns.append(f"${at}::text::{type_}[]" if type_ == _INT else f"${at}::{type_}[]")
            at += 1
        made.append(part.sql.replace("{}", f"unnest({', '.join(columns)})"))
    *before, last = made
    if not before:
        return last
    named = ", ".join(f"p{number} AS ({sql})" for number, sql in enumerate(before))
    return f"WITH {named} {last}"
