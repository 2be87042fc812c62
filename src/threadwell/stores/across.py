"""Several queries as one search: of resources of several types, or of a type in several ways.

Without a sort the matches of one query follow those of another, in the order of the queries. Sorted
by what every resource has, ``_id`` or ``_lastUpdated``, they stand among each other; those that tie
are in the order of the queries. No resource may match two of them. Each query sees the store as of
a moment of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from threadwell.fhir.search.query import IdFilter, Ordered, Place, Query, Sort, Total
from threadwell.stores.aside import Pauses
from threadwell.stores.contract import Key, Page, Reading, Stored

#: Queries that are asked at once.
_AT_ONCE = 8
_BELOW, _ABOVE = -(2**63), 2**63 - 1


class Spot(NamedTuple):
    """Where a match stands: which query it is of, and its place there."""

    at: int
    place: Place


@dataclass(frozen=True, slots=True)
class Across:
    """Queries that have ``sort``, ``count``, ``total``, ``most`` and all that is about the page in
    common; where the page begins is told by ``after`` and ``back`` alone.
    """

    queries: tuple[Query, ...]
    after: Spot | None = None
    back: bool = False


@dataclass(slots=True)
class Spread:
    """A page of such a search, as ``stores.contract.Page``; ``spots`` are those of its matches."""

    matches: list[Stored] = field(default_factory=list)
    included: list[Stored] = field(default_factory=list)
    total: int | None = None
    estimated: bool = False
    more: bool = False
    first: Spot | None = None
    last: Spot | None = None
    cut: bool = False
    spots: list[Spot] = field(default_factory=list)


async def search_across(store: Reading, project: str, across: Across) -> Spread:
    """The page that is asked for."""
    queries = across.queries
    if not queries:
        return Spread(total=0)
    model = queries[0]
    spread = Spread()
    if model.total is not Total.NONE or model.summary_count:
        spread.total, spread.estimated = await count_across(store, project, queries)
    if model.summary_count:
        return spread
    work = _Work(store, project, across)
    await (work.merged(spread) if model.sort else work.in_turn(spread))
    if model.includes or model.rev_includes:
        await work.include(spread)
    return spread


async def count_across(
    store: Reading, project: str, queries: Sequence[Query]
) -> tuple[int | None, bool]:
    """How many match, of all the queries together, and whether that is estimated; ``None`` where it
    would take too long to tell exactly.
    """
    counted = [replace(query, summary_count=True, after=None) for query in queries]
    total, estimated = 0, False
    for at in range(0, len(counted), _AT_ONCE):
        part = counted[at : at + _AT_ONCE]
        pages = await asyncio.gather(*(store.search(project, query) for query in part))
        if any(page.total is None for page in pages):
            return None, False
        total += sum([page.total or 0 for page in pages])
        estimated = estimated or any(page.estimated for page in pages)
    return total, estimated


class _Work:
    def __init__(self, store: Reading, project: str, across: Across) -> None:
        self._store = store
        self._project = project
        self._across = across
        self._count = across.queries[0].count
        self._most = across.queries[0].most

    async def in_turn(self, spread: Spread) -> None:
        """Take one query after the other until the page is full."""
        after, back = self._across.after, self._across.back
        found: list[tuple[Stored, Spot]] = []
        left = self._most
        pauses = Pauses()
        for at in self._turns():
            await pauses.pause()
            place = after.place if after and after.at == at else None
            wanted = self._count - len(found)
            # Of those that follow a full page it is asked whether there is any.
            page = await self._page(at, place, max(wanted, 1), 1 if wanted == 0 else left)
            if page.matches and (wanted == 0 or (left is not None and left <= 0)):
                spread.more = True
                break
            taken = [
                (match, Spot(at, where))
                for match, where in zip(page.matches, page.places, strict=True)
            ]
            found += reversed(taken) if back else taken
            if left is not None:
                left -= sum([len(match.body) for match in page.matches])
            if page.more:
                spread.more = True
                break
        _fill(spread, found[::-1] if back else found)

    async def merged(self, spread: Spread) -> None:
        """Take the nearest of all queries, over and over, until the page is full."""
        queries, back = self._across.queries, self._across.back
        # Each has a part of the room, as most of what it finds may not be on the page.
        most = None if self._most is None else max(1, self._most // min(len(queries), _AT_ONCE))
        pages: list[Page] = []
        for start in range(0, len(queries), _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, len(queries)))
            pages += await asyncio.gather(
                *(self._page(at, self._bound(at), self._count, most) for at in part)
            )
        waiting = [list(zip(page.matches, page.places, strict=True)) for page in pages]
        if not back:
            for one in waiting:
                one.reverse()  # The nearest last, to be taken from there.
        found: list[tuple[Stored, Spot]] = []
        left = self._most
        while len(found) < self._count and (left is None or left > 0):
            there = [at for at, one in enumerate(waiting) if one]
            if not there:
                break
            at = self._nearest(there, waiting)
            match, place = waiting[at].pop()
            found.append((match, Spot(at, place)))
            left = None if left is None else left - len(match.body)
            if not waiting[at] and pages[at].more:
                # What it has next is not known, and may be nearer than that of others.
                break
        spread.more = any(waiting) or any(
            page.more for page, one in zip(pages, waiting, strict=True) if not one
        )
        _fill(spread, found[::-1] if back else found)

    async def include(self, spread: Spread) -> None:
        """Add what the matches include, each resource once."""
        seen = {Key(match.type, match.id) for match in spread.matches}
        ids: dict[int, list[str]] = {}
        by_type = {query.type: at for at, query in enumerate(self._across.queries)}
        for match in spread.matches:
            ids.setdefault(by_type[match.type], []).append(match.id)
        left = self._most
        for at, them in ids.items():
            query = self._across.queries[at]
            of_page = replace(query, filters=(IdFilter(tuple(them)),), count=len(them), sort=())
            page = await self._store.search(
                self._project, replace(of_page, after=None, back=False, total=Total.NONE)
            )
            spread.cut = spread.cut or page.cut or page.more
            for stored in page.included:
                key = Key(stored.type, stored.id)
                if key not in seen:
                    seen.add(key)
                    spread.included.append(stored)
                    left = None if left is None else left - len(stored.body)
            if left is not None and left <= 0:
                spread.cut = True
                return

    async def _page(self, at: int, after: Place | None, count: int, most: int | None) -> Page:
        query = replace(
            self._across.queries[at],
            after=after,
            back=self._across.back,
            count=count,
            most=None if most is None else max(1, most),
            total=Total.NONE,
            includes=(),
            rev_includes=(),
            placed=True,
        )
        return await self._store.search(self._project, query)

    def _turns(self) -> range:
        after, count = self._across.after, len(self._across.queries)
        if self._across.back:
            return range(count - 1 if after is None else after.at, -1, -1)
        return range(0 if after is None else after.at, count)

    def _bound(self, at: int) -> Place | None:
        """Behind which place of its own a query goes on."""
        after, back = self._across.after, self._across.back
        if after is None or after.at == at:
            return after and after.place
        # Those that tie with it are ahead of queries that come later, in the page's direction.
        takes_ties = (at > after.at) is not back
        descending = self._sort[0].descending
        return Place(after.place.values, _BELOW if takes_ties is (descending is back) else _ABOVE)

    def _nearest(self, there: Sequence[int], waiting: Sequence[Sequence[tuple[Any, Place]]]) -> int:
        back = self._across.back
        best = there[-1] if back else there[0]
        for at in reversed(there) if back else there:
            one, other = waiting[at][-1][1], waiting[best][-1][1]
            if _precedes(other, one, self._sort) if back else _precedes(one, other, self._sort):
                best = at
        return best

    @property
    def _sort(self) -> tuple[Sort, ...]:
        return self._across.queries[0].sort


def _fill(spread: Spread, found: Sequence[tuple[Stored, Spot]]) -> None:
    spread.matches = [match for match, _ in found]
    spread.spots = [spot for _, spot in found]
    if found:
        spread.first, spread.last = spread.spots[0], spread.spots[-1]


def _precedes(one: Place, other: Place, sort: Sequence[Sort]) -> bool:
    """Whether the values of one come before those of the other; those that tie do not."""
    pairs = zip(one.values, other.values, sort, strict=True)
    for this, that, key in pairs:
        if this != that:
            # Every resource has what is sorted by.
            assert this is not None
            assert that is not None
            return _less(that, this) if key.descending else _less(this, that)
    return False


def _less(one: Ordered, other: Ordered) -> bool:
    return one < other  # type: ignore[operator]
