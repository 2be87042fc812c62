"""The SQL of a sort by texts or dates: their lists walked in their order."""

from __future__ import annotations

from typing import TypeAlias

from threadwell.stores.postgres.rows import COLUMNS, beginning, text_bytes
from threadwell.stores.postgres.statement import ROW, Statement
from threadwell.stores.sql.in_order import SortedLists
from threadwell.stores.sql.plan import Lead, Order

#: An entry of a list in some order: by what, and the number of the resource.
Bound: TypeAlias = tuple[str | int | bytes, int]

#: Where nothing leads but the lists that are walked.
_UNLED = Lead(Order.OTHER)


class SortedStatement(Statement):
    """A statement whose rows are in such an order."""

    def along(
        self, lists: SortedLists, *, descending: bool, start: Bound | None, end: Bound | None = None
    ) -> None:
        """``at``, what it is sorted by, and ``rid`` of each entry of the lists in their order, with
        the resource; behind ``start`` and not behind ``end``. Every filter is asked.
        """
        way, follows, within = ("DESC", "<", ">=") if descending else ("ASC", ">", "<=")
        value = "sort" if lists.text is None else "beginning"
        bounds = "".join(
            f" AND (d.{value}, d.rid) {relation} ({self.bind(_bound(at[0]))}, {self.bind(at[1])})"
            for relation, at in ((follows, start), (within, end))
            if at is not None
        )
        order = f"ORDER BY d.{value} {way}, d.rid {way}"
        keys, table = (lists.dates, "posting") if lists.text is None else ((lists.text,), "folded")
        each = [
            f"(SELECT d.{value} AS at, d.rid FROM {table} d"
            f" WHERE d.pid = $1 AND d.key = {self.bind(key)}{bounds} {order})"
            for key in keys
        ]
        merged = " UNION ALL ".join(each)
        if len(each) > 1:
            merged += f" ORDER BY at {way}, rid {way}"
        where, _ = self._where(_UNLED, "r.sort")
        self.sql = (
            f"SELECT {COLUMNS}, d.at, d.rid FROM ({merged}) d{ROW} WHERE true{where}"
            f" ORDER BY d.at {way}, d.rid {way}"
        )

    def entry_behind(
        self, lists: SortedLists, key: int, entries: int, *, descending: bool, start: Bound | None
    ) -> None:
        """``at`` and ``rid`` of the entry of one list that is so many behind the first."""
        way, follows = ("DESC", "<") if descending else ("ASC", ">")
        value = "sort" if lists.text is None else "beginning"
        bounds = ""
        if start is not None:
            place = f"{self.bind(_bound(start[0]))}, {self.bind(start[1])}"
            bounds = f" AND (d.{value}, d.rid) {follows} ({place})"
        table = "posting" if lists.text is None else "folded"
        self.sql = (
            f"SELECT d.{value} AS at, d.rid FROM {table} d"
            f" WHERE d.pid = $1 AND d.key = {self.bind(key)}{bounds}"
            f" ORDER BY d.{value} {way}, d.rid {way} LIMIT 1 OFFSET {self.bind(entries)}"
        )

    def by_number(self, lead: Lead, *, descending: bool, after: int | None) -> None:
        """The matches in the order of their creation, behind one: ``COLUMNS`` and ``rid``."""
        source = self.source(lead)
        where, _ = self._where(lead, "r.sort")
        if after is not None:
            where += f" AND d.rid {'<' if descending else '>'} {self.bind(after)}"
        way = "DESC" if descending else "ASC"
        self.sql = (
            f"SELECT {COLUMNS}, d.rid FROM ({source}) d{ROW} WHERE true{where} ORDER BY d.rid {way}"
        )


def _bound(value: str | int | bytes) -> int | bytes:
    """What an entry is in the order of, as its column has it."""
    return beginning(text_bytes(value)) if isinstance(value, str) else value
