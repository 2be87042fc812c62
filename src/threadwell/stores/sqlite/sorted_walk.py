"""Sorts by texts and dates on SQLite: a walk along their lists, as far as a page needs."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from threadwell.fhir.json import decode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import Query
from threadwell.stores.order import Candidate, keys_of
from threadwell.stores.sql.doubts import Doubts
from threadwell.stores.sql.in_order import (
    At,
    Groups,
    SortedLists,
    begins,
    descends,
)
from threadwell.stores.sqlite.reader import Reader

#: What is asked of each resource on the way: SQL, its parameters, and what stays in doubt.
Asked: TypeAlias = tuple[str, list[Any], Doubts]


def walked(
    reader: Reader, query: Query, lists: SortedLists, asked: Asked, most: int | None
) -> Iterator[int | None]:
    """The numbers of the matches with a value that are ahead of the query, in its direction.

    ``None`` comes last where ``most`` entries were walked and more are there.
    """
    down, start = descends(query), begins(query)
    end = None if most is None else _bound(reader, lists, start, most, down=down)
    groups = Groups(query)
    keys, bases = keys_of(query.sort), asked[2].bases
    for value, rid, id_, updated, body in _rows(reader, lists, asked, start, end, down=down):
        values = extract(decode(body), bases, keys)
        for candidate, _ in groups.met(value, Candidate(rid, id_, updated, values)):
            yield candidate.created
    for candidate, _ in groups.end():
        yield candidate.created
    if end is not None:
        yield None


def _rows(
    reader: Reader,
    lists: SortedLists,
    asked: Asked,
    start: At | None,
    end: At | None,
    *,
    down: bool,
) -> Iterator[Any]:
    """The entries in order, with their resources."""
    where, more, doubts = asked
    way, follows, within = ("DESC", "<", ">=") if down else ("ASC", ">", "<=")

    def sql(table: str, value: str) -> str:
        bounds = f" AND (d.{value}, d.rid) {follows} (?, ?)" if start else ""
        bounds += f" AND (d.{value}, d.rid) {within} (?, ?)" if end else ""
        return (
            f"SELECT d.{value}, d.rid, r.id, r.updated, r.body"
            f" FROM {table} d CROSS JOIN resource r ON r.rid = d.rid"
            f" WHERE d.key = ?{bounds}{where} ORDER BY d.{value} {way}, d.rid {way}"
        )

    params = [*(start or ()), *(end or ()), *more]
    if lists.text is not None:
        return reader.each(sql("text", "folded"), [lists.text, *params], doubts)
    of_dates = [reader.each(sql("posting", "sort"), [key, *params], doubts) for key in lists.dates]
    return heapq.merge(*of_dates, key=_at, reverse=down)


def _bound(
    reader: Reader, lists: SortedLists, start: At | None, most: int, *, down: bool
) -> At | None:
    """The entry so many behind the first one; ``None`` where there are not as many."""
    way, follows = ("DESC", "<") if down else ("ASC", ">")
    table, value = ("posting", "sort") if lists.text is None else ("text", "folded")
    bounds = f" AND (d.{value}, d.rid) {follows} (?, ?)" if start else ""
    sql = (
        f"SELECT d.{value}, d.rid FROM {table} d WHERE d.key = ?{bounds}"
        f" ORDER BY d.{value} {way}, d.rid {way} LIMIT 1 OFFSET ?"
    )
    keys = lists.dates if lists.text is None else (lists.text,)
    found = [row for key in keys for row in reader.rows(sql, [key, *(start or ()), most])]
    if not found:
        return None
    value_of, rid = sorted(found, reverse=down)[0]
    return value_of, rid


def _at(row: Sequence[Any]) -> Any:
    return row[:2]
