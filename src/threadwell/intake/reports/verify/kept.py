"""Facts by name: in memory while they are few, in a file that has no name beyond that."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar

V = TypeVar("V")

#: So many are in memory at a time, of what was put there last and of what was asked for last.
MOST = 100_000
#: KiB of the file that SQLite keeps in memory.
_CACHE = 4096


class ByName(MutableMapping[str, V], Generic[V]):
    """A mapping in the order in which its names came first; its memory does not grow with it.

    Nothing is put into it while it is walked through. It is closed once it is not needed any more.
    Raises ``sqlite3.Error`` where a disk has no room.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = MOST if most is None else most
        self._new: dict[str, V] = {}
        self._asked: dict[str, V | None] = {}
        self._file: sqlite3.Connection | None = None

    def __enter__(self) -> ByName[V]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._new.clear()
        self._asked.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __setitem__(self, name: str, value: V) -> None:
        self._new[name] = value
        self._asked.pop(name, None)
        if len(self._new) > self._most:
            self._put_down()

    def __getitem__(self, name: str) -> V:
        found = self._found(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._found(name) is not None

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._new.pop(name, None)
        self._asked.pop(name, None)
        if self._file is not None:
            self._file.execute("DELETE FROM fact WHERE name = ?", (name,))

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.walk())

    def __len__(self) -> int:
        if self._file is None:
            return len(self._new)
        self._put_down()
        ((count,),) = self._file.execute("SELECT count(*) FROM fact")
        return int(count)

    def walk(self) -> Iterator[tuple[str, V]]:
        """Names and what is kept under them, each read once."""
        if self._file is None:
            yield from self._new.items()
            return
        self._put_down()
        rows = self._file.execute("SELECT name, value FROM fact ORDER BY place")
        for name, value in rows:
            yield name, pickle.loads(value)  # noqa: S301 - written by ourselves

    def _found(self, name: str) -> V | None:
        found = self._new.get(name)
        if found is not None or self._file is None:
            return found
        if name in self._asked:
            return self._asked[name]
        rows = self._file.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchall()
        found = pickle.loads(rows[0][0]) if rows else None  # noqa: S301 - written by ourselves
        if len(self._asked) >= self._most:
            self._asked.clear()
        self._asked[name] = found
        return found

    def _put_down(self) -> None:
        if self._file is None:
            # It is deleted once it is closed, and nobody else can open it.
            self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._file.execute(f"PRAGMA cache_size = -{_CACHE}")
            self._file.execute("PRAGMA journal_mode = OFF")
            self._file.execute(
                "CREATE TABLE fact (place INTEGER PRIMARY KEY, name TEXT UNIQUE, value BLOB)"
            )
        rows = [(name, pickle.dumps(value, -1)) for name, value in self._new.items()]
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO fact (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            rows,
        )
        self._file.execute("COMMIT")
        self._new.clear()
        self._asked.clear()
