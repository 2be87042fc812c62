"""Sorts by a text or a date that need not read every match: its lists are walked in their order.

The texts of a parameter are kept in their own order, and its dates in that of their beginning. So a
walk of them meets each resource, among other places, where its first sort value stands. What has
no value is in none of these lists: it comes by itself, before all others where the order ascends.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from threadwell.fhir.search.query import Place, Query
from threadwell.fhir.search.within import is_inner
from threadwell.stores.order import LETTERS, Candidate, Placed, ahead, in_order
from threadwell.stores.sql.keys import Keys, of_width, scope
from threadwell.stores.sql.plan import MANY
from threadwell.stores.sql.ranges import HIGHEST, LOWEST, WIDTHS
from threadwell.stores.sql.shapes import present_bits

#: Of fewer matches than this all are read rather than a list walked that may have few of them.
FEW_TO_SORT = 100
#: So many entries are walked for each match that could be read instead.
WALKED = 20

#: What entries are in the order of: a folded text, or microseconds.
Value: TypeAlias = str | int
#: An entry of a list: its value, and the number of the resource.
At: TypeAlias = tuple[Value, int]


class SortedLists(NamedTuple):
    """The lists in the order of the first key of a sort: of texts, or else several of dates.

    ``bit`` stands for the parameter in ``present``.
    """

    param: str
    text: int | None
    dates: tuple[int, ...]
    bit: int


class Stage(StrEnum):
    """What a sort comes by, one after the other."""

    VALUES = "values"
    MISSING = "missing"


def sorted_lists(keys: Keys, project: str, query: Query) -> SortedLists | None:
    """The lists for the sort of a query; ``None`` where none has its order."""
    if not query.sort or is_inner(query.type):
        return None
    param = query.sort[0].param
    home = keys.bases.of(project)
    found = home.catalogue.found(query.type).get(param)
    bit = present_bits(query.type).get(param)
    if found is None or bit is None or found.type not in ("string", "date"):
        return None
    under = scope(project, query.type, param)
    if found.type == "string":
        return SortedLists(param, keys.key(under), (), bit)
    dates = tuple([keys.key(under + of_width(kind.name)) for kind in WIDTHS])
    return SortedLists(param, None, dates, bit)


def is_worth_it(matches: int) -> bool:
    """Whether to walk the lists, where so many match, or ``MANY``."""
    return matches >= FEW_TO_SORT


def reach(matches: int) -> int | None:
    """How many entries may be walked before all of so many matches are read instead; ``None`` where
    those are too many for that.
    """
    return None if matches >= MANY else matches * WALKED


def descends(query: Query) -> bool:
    """Whether the lists are walked from their end."""
    return query.sort[0].descending is not query.back


def stages(query: Query) -> tuple[Stage, ...]:
    """What is ahead of where a query goes on, in its direction."""
    down, after = descends(query), query.after
    order = (Stage.VALUES, Stage.MISSING) if down else (Stage.MISSING, Stage.VALUES)
    if after is not None and (after.values[0] is None) is down:
        # It is in what comes last, and so all that is before is behind it.
        return order[1:]
    return order


def begins(query: Query) -> At | None:
    """Behind which entry the walk along the values begins; ``None`` at the end of the lists."""
    after = query.after
    value = None if after is None else after.values[0]
    if after is None or value is None or not isinstance(value, str | int):
        return None
    if _alone(query, value):
        return value, after.number
    if not descends(query):
        return value, LOWEST
    if isinstance(value, str) and len(value) >= LETTERS:
        # No more is told of it than its beginning, and no character is above U+10FFFF.
        value += "\U0010ffff"
    return value, HIGHEST


class Groups:
    """Puts what a walk meets in order: by the further keys of the sort where the first ones tie."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._value: Value | None = None
        self._seen: set[int] = set()
        self._group: list[Placed] = []

    def met(self, value: Value, candidate: Candidate) -> Sequence[Placed]:
        """What is ahead of the query, once it is known, in its order; an entry was met just now."""
        ready: Sequence[Placed] = ()
        if isinstance(value, str):
            value = value[:LETTERS]
        if value != self._value:
            ready = self.end()
            self._value = value
        place = candidate.place(self._query.type, self._query.sort)
        if place.values[0] != value or candidate.created in self._seen:
            # Met by another of its values, or by a word of one.
            return ready
        self._seen.add(candidate.created)
        if _alone(self._query, value):
            return [*ready, *self._ahead([(candidate, place)])]
        self._group.append((candidate, place))
        return ready

    def end(self) -> Sequence[Placed]:
        """The rest, where no more is met."""
        group = [candidate for candidate, _ in self._group]
        self._seen, self._group = set(), []
        return self._ahead(in_order(self._query.type, group, self._query.sort)) if group else ()

    def _ahead(self, placed: Sequence[Placed]) -> Sequence[Placed]:
        return ahead(placed, self._query)


def after_number(query: Query) -> int | None:
    """The number of the resource behind which those without a value go on."""
    after: Place | None = query.after
    return after.number if after is not None and after.values[0] is None else None


def _alone(query: Query, value: Value) -> bool:
    """Whether entries stand in the order of the answer: nothing but the number tells ties apart."""
    return len(query.sort) == 1 and (isinstance(value, int) or len(value) < LETTERS)
