"""How long lists are, on SQLite: counted once, and then as long as what changed makes them."""

from __future__ import annotations

from functools import partial

from threadwell.fhir.search.within import plain_type
from threadwell.stores.sql.counting import SHORT, Changed, Length, longer
from threadwell.stores.sql.entries import entered
from threadwell.stores.sqlite.deferred import WAITS
from threadwell.stores.sqlite.news import POSITION
from threadwell.stores.sqlite.reader import Reader

_SHORT = "SELECT count(*) FROM (SELECT 1 FROM posting WHERE key = ? LIMIT ?)"
_ENTRIES = "SELECT count(*) FROM posting WHERE key = ?"
#: The resources of a type that were written since, by the first of these versions.
_CHANGED = """
SELECT c.rid, min(c.number) AS first, EXISTS (
  SELECT 1 FROM posting p
  WHERE p.key = ?4 AND p.sort IN (r.sort, r.updated * 1000) AND p.rid = c.rid
)
FROM change c LEFT JOIN resource r ON r.rid = c.rid
WHERE c.pid = ?1 AND c.position > ?2 AND (r.type = ?3 OR r.rid IS NULL) GROUP BY c.rid
"""
_BEFORE = "SELECT deleted, body, updated FROM version WHERE rid = ? AND number = ?"


class Counting:
    """Of resources of one type, within the transaction that is open."""

    def __init__(self, reader: Reader, project: str, pid: int, type_: str) -> None:
        self._reader = reader
        self._project = project
        self._pid = pid
        self._type = plain_type(type_)

    def length(self, key: int) -> int:
        """How many entries a list has."""
        rows = self._reader.rows
        if (entries := rows(_SHORT, (key, SHORT + 1))[0][0]) <= SHORT:
            return int(entries)
        keys, pid = self._reader.keys, self._pid
        position = int((rows(POSITION, (pid,))[0][0]) or 0)
        turn = keys.bases.of(self._project).turn
        was, now = keys.lengths.get(pid, key), None
        if was is not None and was.turn == turn and 0 <= position - was.position <= was.worth:
            changed = self._changed(was.position, key)
            more = None
            if changed is not None:
                more = longer(changed, key, partial(entered, keys, self._project))
            now = None if more is None else was.entries + more
        if now is None:
            now = int(rows(_ENTRIES, (key,))[0][0])
        if not rows(WAITS, ()):
            # Else some of what was committed is not in the list yet.
            keys.lengths.keep(pid, key, Length(position, turn, now))
        return now

    def _changed(self, position: int, key: int) -> list[Changed] | None:
        """What was written since; ``None`` where some of it is gone by now."""
        rows = self._reader.rows
        found: list[Changed] = []
        for rid, first, is_in in rows(_CHANGED, (self._pid, position, self._type, key)):
            before = None
            if first > 1:
                there = rows(_BEFORE, (rid, first - 1))
                if not there:
                    return None
                deleted, body, updated = there[0]
                before = None if deleted else (body, updated)
            found.append(Changed(bool(is_in), before))
        return found
