"""What a compiled filter is made of: lists and streams of the index, and tests of a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from threadwell.fhir.search.query import EitherFilter, Filter
from threadwell.stores.including import Target
from threadwell.stores.sql.ranges import HIGHEST, LOWEST, Stretch

#: Lists that are looked into for each resource, where it can be asked itself instead.
MANY_LISTS = 64


@dataclass(frozen=True, slots=True)
class Stream:
    """A stretch of one posting list; it may hold more than matches where not ``exact``."""

    key: int
    low: int = LOWEST
    high: int = HIGHEST
    exact: bool = True

    @property
    def whole(self) -> bool:
        return self.low == LOWEST and self.high == HIGHEST


class TextWay(Enum):
    """How the texts of a list are compared with those searched for."""

    STARTS = "starts"
    CONTAINS = "contains"
    EQUAL = "equal"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class TextScan:
    """The resources with a text under ``key`` that compares with one of ``texts``."""

    key: int
    way: TextWay
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Always:
    """Holds for every resource, or for none."""

    holds: bool


@dataclass(frozen=True, slots=True)
class Present:
    """The parameter of ``bit`` has a value, or none where ``missing``."""

    bit: int
    missing: bool


@dataclass(frozen=True, slots=True)
class UpdatedWithin:
    """``meta.lastUpdated``, in microseconds, lies in one of the stretches."""

    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """The id is one of ``ids``, or none of them where ``negate``."""

    ids: tuple[str, ...]
    negate: bool


#: What the row of a resource is asked.
RowTest: TypeAlias = Always | Present | UpdatedWithin | OneOf


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter, compiled. What is empty or ``None`` cannot be used for it.

    ``keys``: any of these lists, in natural order, holds every match (none, with ``negate``).
    ``streams``: every match is in one of these, in another order. ``row`` decides by itself;
    ``exact`` tells whether the rest does. ``updated``: the streams are in the order of
    ``meta.lastUpdated``. ``either`` decides by itself, too: all conditions of one of these hold,
    and each of them can be ``probed``.
    """

    filter: Filter
    keys: tuple[int, ...] | None = None
    negate: bool = False
    streams: tuple[Stream, ...] | None = None
    text: TextScan | None = None
    ids: tuple[str, ...] | None = None
    row: RowTest | None = None
    exact: bool = True
    updated: bool = False
    either: tuple[tuple[Condition, ...], ...] | None = None

    @property
    def probed(self) -> bool:
        """Whether a look at some places of the index, or at the row, says all of it."""
        return self.row is not None or self.either is not None or self.has_lists

    @property
    def has_lists(self) -> bool:
        """Whether its lists say all of it."""
        return self.keys is not None and self.exact

    @property
    def lists(self) -> int:
        """Into how many lists is looked for each resource, where it is ``probed``."""
        if self.either is None:
            return len(self.keys or ())
        return sum([one.lists for conditions in self.either for one in conditions])

    @property
    def asks_row(self) -> bool:
        """Whether the row is looked at, where it is ``probed``."""
        if self.either is None:
            return self.row is not None and self.keys is None
        return any(one.asks_row for conditions in self.either for one in conditions)

    def is_either(self, most: int = MANY_LISTS) -> bool:
        """Whether to ask for ``either`` costs less than to ask each resource itself."""
        return self.either is not None and self.lists <= most

    def is_dear(self, most: int = MANY_LISTS) -> bool:
        """Whether to ask each resource itself costs less than to look into all of the lists, which
        is so beyond ``most``.
        """
        keys = self.keys
        return keys is not None and len(keys) > most and isinstance(self.filter, EitherFilter)


class Lookups(Protocol):
    """The searches within a search that chains need."""

    def targets(self, type_: str, filter_: Filter, *, named: bool) -> list[Target]:
        """The resources that match; ``named``, with the names that they have."""
        ...

    def containing(self, type_: str, filter_: Filter) -> list[str]:
        """The ids of the resources within which one of that inner type matches."""
        ...

    def referred_ids(self, type_: str, filter_: Filter, param: str, to: str) -> list[str]:
        """The ids of ``to`` that matching resources refer to under ``param``."""
        ...


def terms(
    filter_: Filter, found: Sequence[tuple[int, bool] | None], negate: bool = False
) -> Condition:
    """That a resource is in one of the lists, each with whether that says all that was asked."""
    keys = tuple(dict.fromkeys(key for key, _ in filter(None, found)))
    exact = all(term is not None and term[1] for term in found)
    if None in found or (negate and not exact):
        return Condition(filter_, exact=False)
    return Condition(filter_, keys=keys, negate=negate, exact=exact)


def ids_of(filter_: Filter, ids: Sequence[str], negate: bool = False) -> Condition:
    """That a resource has one of the ids."""
    found = tuple(dict.fromkeys(ids))
    return Condition(filter_, ids=None if negate else found, row=OneOf(found, negate))


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The stretches in order, overlapping ones made one."""
    out: list[Stretch] = []
    for low, high in sorted(stretches):
        if out and low <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], high)
        else:
            out.append((low, high))
    return out
