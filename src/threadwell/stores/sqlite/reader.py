"""Reads rows and resources on one connection, as far as a search needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw

from threadwell.stores.contract import Stored
from threadwell.stores.including import bounded
from threadwell.stores.sql.doubts import SURE, Doubts
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite.rows import COLUMNS, fetch, row_to_stored


class Reader:
    """The rows of one connection, and the ``keys`` of its store. Not for two threads at once."""

    def __init__(self, connection: apsw.Connection, keys: Keys) -> None:
        self.keys = keys
        self._connection = connection
        self._doubts = SURE
        connection.create_scalar_function("holds", self._holds, 2)

    def rows(self, sql: str, params: Sequence[Any], doubts: Doubts = SURE) -> list[tuple[Any, ...]]:
        """Every row of a statement, whose ``holds`` asks for ``doubts``."""
        self._doubts = doubts
        return fetch(self._connection, sql, params)

    def each(self, sql: str, params: Sequence[Any], doubts: Doubts) -> Iterator[Any]:
        """The same row by row, for many with much in them: a limit holds between them, too."""
        self._doubts = doubts
        cursor = self._connection.cursor()
        try:
            yield from cursor.execute(sql, params)
        finally:
            cursor.close(force=True)

    def stored(self, rids: Iterable[int], most: int | None = None) -> list[Stored]:
        """The current versions of the resources, in the order asked for, up to the one by which
        they reach ``most`` bytes.
        """
        cursor = self._connection.cursor()
        sql = f"SELECT {COLUMNS} FROM resource r WHERE r.rid = ?"
        try:
            rows = cursor.executemany(sql, ((rid,) for rid in rids))
            return bounded(map(row_to_stored, rows), most)
        finally:
            cursor.close(force=True)

    def _holds(self, *version: Any) -> bool:
        version_id, body = version
        return self._doubts.hold_of(version_id, body)
