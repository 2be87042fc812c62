"""Rows as resources, and texts as the bytes that are kept of them."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable, Sequence

import asyncpg

from threadwell.stores.contract import Stored

#: The fields of ``Stored`` in their order, of the table ``resource r``.
COLUMNS = "r.type, r.id, r.version_id, r.updated, r.deleted, r.body, r.author"

_UTF8 = getincrementaldecoder("utf-8")

#: So much of a text is in the index; an entry may have 2,704 bytes.
_INDEXED = 1000


def bounded(sql: str, most: str, *further: str, order: str = "") -> str:
    """A statement of ``COLUMNS`` and ``further`` ones, but that a row has no body where those
    before it reach ``most`` bytes, which is a parameter's place.

    What is not sent is not read: the sizes stand in the rows themselves. ``order`` is theirs.
    """
    columns = ", ".join(further)
    return (
        "SELECT type, id, version_id, updated, deleted,"
        f" CASE WHEN size - octet_length(body) < {most} THEN body END AS body, author"
        f"{', ' if further else ''}{columns} FROM (SELECT f.*,"
        f" sum(octet_length(body)) OVER ({order} ROWS UNBOUNDED PRECEDING) AS size"
        f" FROM ({sql}) f) f {order}"
    )


def with_bodies(rows: Sequence[asyncpg.Record]) -> Sequence[asyncpg.Record]:
    """Those of the rows of a ``bounded`` statement that have a body."""
    if not rows or rows[-1]["body"] is not None:
        return rows
    return [row for row in rows if row["body"] is not None]


def stored(rows: Iterable[asyncpg.Record]) -> list[Stored]:
    """The versions that rows hold, which begin with ``COLUMNS``."""
    return [Stored(*row[:7]) for row in rows]


def text_bytes(text: str) -> bytes:
    """A folded text as it is kept: whatever it holds, in the order of its code points."""
    return text.encode("utf-8", "surrogatepass")


def beginning(text: bytes) -> bytes:
    """What the index holds of a text's bytes."""
    return text[:_INDEXED]


def text_of(value: bytes | int) -> str | int:
    """The text whose ``beginning`` that is, as far as it tells; a number as it is."""
    if isinstance(value, int):
        return value
    # It may end within a letter.
    return _UTF8("surrogatepass").decode(value)
