"""How long lists are, on PostgreSQL: counted once, and then as long as what changed makes them."""

from __future__ import annotations

from functools import partial

from threadwell.fhir.search.within import plain_type
from threadwell.stores.postgres.database import Connection
from threadwell.stores.postgres.quick import NumberedProject
from threadwell.stores.sql.counting import SHORT, Changed, Length, longer
from threadwell.stores.sql.entries import entered
from threadwell.stores.sql.keys import Keys

_SHORT = """
SELECT count(*) FROM (SELECT FROM posting WHERE pid = $1 AND key = $2 LIMIT $3) s
"""
_ENTRIES = "SELECT count(*) FROM posting WHERE pid = $1 AND key = $2"
#: What was committed last, and at the position that is asked for: the version, if it is there.
_MARKS = """
SELECT c.position, concat_ws('/', c.rid, c.number, coalesce(r.version_id, v.version_id)) AS mark
FROM (
  (SELECT position, rid, number FROM change WHERE pid = $1 ORDER BY position DESC LIMIT 1)
  UNION ALL (SELECT position, rid, number FROM change WHERE pid = $1 AND position = $2)
) c
LEFT JOIN LATERAL (
  SELECT version_id FROM resource r
  WHERE r.pid = $1 AND r.rid = c.rid AND r.number = c.number LIMIT 1
) r ON true
LEFT JOIN LATERAL (
  SELECT version_id FROM version v
  WHERE v.pid = $1 AND v.rid = c.rid AND v.number = c.number LIMIT 1
) v ON true
"""
#: The resources of a type that were written since, by the first of these versions, with what each
#: was before it.
_CHANGED = """
SELECT c.first, EXISTS (
  SELECT FROM posting p WHERE p.pid = $1 AND p.key = $4 AND p.rid = c.rid
    AND p.sort = ANY(ARRAY[r.sort, r.updated * 1000]) OFFSET 0
) AS is_in, v.deleted, v.body, v.updated
FROM (
  SELECT rid, min(number) AS first FROM change WHERE pid = $1 AND position > $2 GROUP BY rid
) c
LEFT JOIN LATERAL (
  SELECT type, sort, updated FROM resource r WHERE r.pid = $1 AND r.rid = c.rid LIMIT 1
) r ON true
LEFT JOIN LATERAL (
  SELECT deleted, body, updated FROM version v
  WHERE v.pid = $1 AND v.rid = c.rid AND v.number = c.first - 1 LIMIT 1
) v ON true
WHERE r.type = $3 OR r.type IS NULL
"""


class Counting:
    """Of resources of one type, within the transaction that is open."""

    def __init__(
        self, connection: Connection, keys: Keys, numbered: NumberedProject, type_: str
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._numbered = numbered
        self._type = plain_type(type_)

    async def length(self, key: int) -> int:
        """How many entries a list has."""
        keys, (project, pid) = self._keys, self._numbered
        value = self._connection.fetchval
        entries: int = await value(_SHORT, pid, key, SHORT + 1)
        if entries <= SHORT:
            return entries
        turn = keys.bases.of(project).turn
        was, now = keys.lengths.get(pid, key), None
        marks = await self._marks(was)
        position = max(marks, default=0)
        is_of_now = was is not None and was.turn == turn and was.mark == marks.get(was.position)
        if was is not None and is_of_now and position - was.position <= was.worth:
            changed = await self._changed(was.position, key)
            more = None
            if changed is not None:
                more = longer(changed, key, partial(entered, keys, project))
            now = None if more is None else was.entries + more
        if now is None:
            now = await value(_ENTRIES, pid, key)
        keys.lengths.keep(pid, key, Length(position, turn, now, marks.get(position, "")))
        return now

    async def _marks(self, was: Length | None) -> dict[int, str]:
        """What was committed last by its position, and what at that of a length."""
        asked = -1 if was is None else was.position
        found = await self._connection.fetch(_MARKS, self._numbered.pid, asked)
        return dict(map(tuple, found))

    async def _changed(self, position: int, key: int) -> list[Changed] | None:
        """What was written since; ``None`` where some of it is gone by now."""
        found: list[Changed] = []
        rows = await self._connection.fetch(_CHANGED, self._numbered.pid, position, self._type, key)
        for first, is_in, deleted, body, updated in rows:
            if first > 1 and body is None:
                return None
            before = None if first == 1 or deleted else (body, updated)
            found.append(Changed(is_in, before))
        return found
