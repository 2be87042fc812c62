"""A page that was found: which resources it has, not what they say.

Who asks the same again before anything is committed is spared the search. The bodies are read anew,
with the moment of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page, Stored

#: Matches of a page beyond which it is not remembered.
_MOST = 100


class Found(NamedTuple):
    """A page without its matches, and their numbers in its order."""

    rids: tuple[int, ...]
    page: Page

    def again(self, type_: str, rows: Iterable[Sequence[Any]]) -> Page:
        """The page with its matches: of each its id, version, time, body and author."""
        make = tuple.__new__
        matches = [
            make(Stored, (type_, id_, version, updated, False, body, author))
            for id_, version, updated, body, author, *_ in rows
        ]
        return self.page._replace(matches=matches)


def found(query: Query, page: Page, rids: Sequence[int]) -> Found | None:
    """What is remembered of a page of those resources; ``None`` of one that includes others, or of
    a long one.
    """
    if query.includes or query.rev_includes or len(rids) > _MOST:
        return None
    return Found(tuple(rids), page._replace(matches=[], included=[]))
