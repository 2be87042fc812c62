"""Pages that lead on to others: behind a place, whatever is written and deleted meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.cursor import Cursor, read_cursor, write_cursor
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page

#: The cursor of the last page of any list.
LAST = "last"
#: Messages of one thread on the page of its session.
MESSAGES = 200


class Turns(NamedTuple):
    """The cursors of the pages before and after one and of the last, ``""`` for none."""

    before: str
    after: str
    last: str = ""


def opened_at(query: Query, cursor: str, count: int) -> Query:
    """The query for the page of a cursor, ``""`` for the first; 404 for what is no cursor of it."""
    query = replace(query, count=count)
    if not cursor:
        return query
    if cursor == LAST:
        return replace(query, back=True)
    try:
        place, back, _ = read_cursor(query.type, query.sort, cursor)
    except FhirError:
        from starlette.exceptions import HTTPException  # commands turn pages, too

        raise HTTPException(404) from None
    return replace(query, after=place, back=back)


def turns(query: Query, page: Page) -> Turns:
    """Where it goes on from a page, and back."""
    before = after = ""
    back_from = query.back and query.after is not None
    # Before the page that one came back from there is always one.
    if page.last is not None and (back_from or (page.more and not query.back)):
        after = write_cursor(Cursor(page.last))
    if page.first is not None and (page.more if query.back else query.after is not None):
        before = write_cursor(Cursor(page.first, back=True))
    return Turns(before, after, LAST if after else "")
