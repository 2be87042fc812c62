"""The page of a search that is one statement: the entries of one lead, with their resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Record

from threadwell.fhir.search.query import Query
from threadwell.fhir.search.within import is_inner
from threadwell.stores.contract import Page, Stored
from threadwell.stores.postgres.rows import stored, with_bodies
from threadwell.stores.postgres.searches import Same, Shape, Walk
from threadwell.stores.postgres.statement import Statement
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.plan import Entry, Lead, entry_of, order_of, place_of
from threadwell.stores.sql.quick import quick_lead


class NumberedProject(NamedTuple):
    """A project as the keys know it and as the rows do."""

    project: str
    pid: int


def quick(keys: Keys, numbered: NumberedProject, query: Query) -> Walk | None:
    """One statement that answers with ``count + 1`` versions in order, where that is possible.

    None of them may have more than its part of the bytes of a page; one that has more comes
    without its body. To add up what all have costs more than the rest of a short page.
    """
    place, derived = (keys, numbered), query.derived
    if derived is None:
        return _quick(keys, numbered, query)
    if place not in derived:
        derived[place] = _quick(keys, numbered, query)
    known: Walk | None = derived[place]
    return known


def added_up(keys: Keys, numbered: NumberedProject, query: Query) -> Statement:
    """The same, up to the version by which all reach the bytes that a page may have."""
    lead = quick_lead(keys, numbered.project, query)
    assert lead is not None
    statement = _walk(numbered, query, lead)
    _, descending = order_of(query)
    statement.sql = statement.bodies(descending=descending, most=query.most)
    return statement


def quick_page(query: Query, rows: Sequence[Record]) -> Page | None:
    """The page of a ``quick`` statement's answer; ``None`` where a match has no body."""
    type_, make = query.type, tuple.__new__
    found = [
        make(Stored, (type_, i, version, updated, False, body, author))
        for i, version, updated, body, author, *_ in rows[: query.count]
    ]
    if None in [one[5] for one in found]:
        return None
    return _page(query, rows[: query.count], found, more=len(rows) > query.count)


def added_up_page(query: Query, rows: Sequence[Record]) -> Page:
    """The page of the answer of a statement that is ``added_up``."""
    shown = with_bodies(rows[: query.count])
    return _page(query, shown, stored(shown), more=len(rows) > len(shown))


def entry(row: Record) -> Entry:
    """Where a row stands in the list that it was found by."""
    return Entry(row["sort"], row["rid"])


def _quick(keys: Keys, numbered: NumberedProject, query: Query) -> Walk | None:
    # What is contained is of another type than what it is in.
    if is_inner(query.type) or (lead := quick_lead(keys, numbered.project, query)) is None:
        return None
    statement = _walk(numbered, query, lead)
    _, descending = order_of(query)
    part = None if query.most is None else query.most // (query.count + 1)
    bodies = statement.dated if query.dated else statement.short_bodies
    statement.sql = bodies(descending=descending, most=part)
    streams = lead.streams or ()
    alike = not (query.dated or query.after or query.offset)
    if alike and len(streams) == 1 and streams[0].whole:
        shape = Shape(numbered.pid, descending, query.count + 1, part)
        return Walk(shape, streams[0].key, statement)
    return Walk(Same(statement.sql, tuple(statement.params)), 0, statement)


def _walk(numbered: NumberedProject, query: Query, lead: Lead) -> Statement:
    order, descending = order_of(query)
    # The lead covers every filter: nothing is to be asked of any.
    statement = Statement(numbered.pid, query.type, ())
    after = query.after and entry_of(query.after, order)
    most = query.offset + query.count + 1
    statement.walk(lead, descending=descending, most=most, after=after)
    statement.limit(query.count + 1, query.offset)
    return statement


def _page(query: Query, rows: Sequence[Record], found: list[Stored], *, more: bool) -> Page:
    order, _ = order_of(query)
    if query.back:
        rows, found = rows[::-1], found[::-1]
    if query.placed:
        places = [place_of(entry(row), order) for row in rows]
    else:
        places = [place_of(entry(rows[at]), order) for at in (0, -1)] if rows else []
    first, last = (places[0], places[-1]) if places else (None, None)
    return Page(found, [], None, more, first, last, places if query.placed else ())
