"""Statements that go to the server as text, several at a time, and have names there.

What is sent as text is read and planned each time, which costs the database more than to run it.
So each connection tells it, when it is first written by, what begins and ends a group of change
sets. Behind a pooler, where the next transaction has another connection, and on several nodes they
are sent as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from threadwell.stores.postgres.pool import Connection

_LOCK = "SELECT pg_advisory_xact_lock({})"
_NUMBER = """
INSERT INTO change (pid, position, rid, number)
SELECT {0}, coalesce((SELECT max(position) FROM change WHERE pid = {0}), 0) + w.n, w.rid, w.number
FROM unnest({1}::bigint[], {2}::bigint[]) WITH ORDINALITY w(rid, number, n)
"""
_STILL = "SELECT 1 / (1 - count(*)) FROM setting WHERE name = {} AND value <> {}"
_NAMES = f"""
PREPARE threadwell_lock(bigint) AS {_LOCK.format("$1")};
PREPARE threadwell_number(bigint, bigint[], bigint[]) AS {_NUMBER.format("$1", "$2", "$3")};
PREPARE threadwell_still(text, bytea) AS {_STILL.format("$1", "$2")};
"""


async def name_all(connection: Connection) -> None:
    """Tell the server what they are, unless it knows that of the connection."""
    try:
        await connection.execute(_NAMES)
    except asyncpg.DuplicatePreparedStatementError:
        return


def lock(keys: Iterable[int], *, named: bool) -> str:
    """The statements that take these advisory locks, one after the other."""
    if named:
        return "".join([f"EXECUTE threadwell_lock({key});" for key in keys])
    return "".join([f"{_LOCK.format(key)};" for key in keys])


def number(pid: int, rids: Sequence[int], numbers: Sequence[int], *, named: bool) -> str:
    """The statement that numbers versions of a project in the order of its changes."""
    columns = [f"'{{{','.join(map(str, column))}}}'" for column in (rids, numbers)]
    if named:
        return f"EXECUTE threadwell_number({pid}, {', '.join(columns)});"
    return f"{_NUMBER.format(pid, *columns)};"


def still(name: str, value: bytes, *, named: bool) -> str:
    """The statement that fails (``DivisionByZeroError``) where a setting has another value."""
    given = f"'{name}'", f"'\\x{value.hex()}'"
    if named:
        return f"EXECUTE threadwell_still({', '.join(given)});"
    return f"{_STILL.format(given[0], f'{given[1]}::bytea')};"
