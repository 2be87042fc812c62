"""Rows as resources, and texts as the bytes that are kept of them."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from threadwell.stores.contract import Stored

#: The fields of ``Stored`` in their order, of the table ``resource r``.
COLUMNS = "r.type, r.id, r.version_id, r.updated, r.deleted, r.body, r.author"

#: So much of a text is in the index; an entry may have 2,704 bytes.
_INDEXED = 1000


def stored(rows: Iterable[asyncpg.Record]) -> list[Stored]:
    """The versions that rows hold, which begin with ``COLUMNS``."""
    return [Stored(*row[:7]) for row in rows]


def text_bytes(text: str) -> bytes:
    """A folded text as it is kept: whatever it holds, in the order of its code points."""
    return text.encode("utf-8", "surrogatepass")


def beginning(text: bytes) -> bytes:
    """What the index holds of a text's bytes."""
    return text[:_INDEXED]
