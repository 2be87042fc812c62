"""What the server keeps for itself, in a file."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from threadwell.stores.sqlite.faults import DatabaseFile, Reading
from threadwell.stores.sqlite.rows import fetch
from threadwell.stores.sqlite.transaction import Transaction
from threadwell.stores.sqlite.writer import Writer

_READING = Reading()


class PrivateValues:
    """The part of a store that has them."""

    _reading: apsw.Connection
    _file: DatabaseFile
    _writer: Writer

    async def private_kinds(self) -> list[str]:
        with _READING:
            rows = fetch(self._reading, "SELECT DISTINCT kind FROM private ORDER BY kind")
        return [kind for (kind,) in rows]

    async def get_private(self, kind: str, name: str) -> bytes | None:
        sql = "SELECT value FROM private WHERE kind = ? AND name = ?"
        with _READING:
            rows = fetch(self._reading, sql, (kind, name))
        return rows[0][0] if rows else None

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        sql = "SELECT name, value FROM private WHERE kind = ? AND name = ?"
        with _READING:
            return dict(self._reading.executemany(sql, ((kind, name) for name in names)))

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        sql = "SELECT name, value FROM private WHERE kind = ? AND name > ? ORDER BY name LIMIT ?"
        with _READING:
            return dict(fetch(self._reading, sql, (kind, after, -1 if count is None else count)))

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        kept = False

        def put(transaction: Transaction) -> None:
            nonlocal kept
            kept = transaction.put_private(kind, name, value, only_new=only_new)

        self._file.check()
        await self._writer.do(put)
        return kept
