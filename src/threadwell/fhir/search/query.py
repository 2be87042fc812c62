"""A search, parsed: what ``parse`` returns, a store answers and a conditional create carries.

Every filter is AND-ed; the matches within a filter are OR-ed. Nothing here is checked again
downstream: parameter codes, modifiers and target types are known to fit ``type``.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from threadwell.fhir.search.catalogue import R4, Catalogue
from threadwell.fhir.search.sought import (
    DateMatch,
    NumberMatch,
    QuantityMatch,
    ReferenceMatch,
    StringMode,
    TokenMatch,
    UriMode,
)


@dataclass(frozen=True, slots=True)
class TokenFilter:
    """``code:not`` (``negate``) holds for a resource that matches none of ``matches``."""

    param: str
    matches: tuple[TokenMatch, ...]
    negate: bool = False


class Relation(StrEnum):
    """How the codes that a filter asks for hang on the one that it names (§3.1.1.5.10)."""

    IN = "in"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class ConceptFilter:
    """``code:in`` and ``:not-in`` (``negate``) of value sets, ``:above`` and ``:below`` of codes.

    ``value_sets`` are canonicals, or ``ValueSet/id`` of our own. What codes these are hangs on what
    is stored: no store is asked this, but the ``TokenFilter`` that ``stores.naming`` makes of it.
    """

    param: str
    relation: Relation
    value_sets: tuple[str, ...] = ()
    matches: tuple[TokenMatch, ...] = ()
    negate: bool = False


@dataclass(frozen=True, slots=True)
class TextFilter:
    """``code:text``: the display of a token starts with the text."""

    param: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferenceFilter:
    """A reference to one of ``matches``; ``negate`` as in ``TokenFilter``.

    ``named``: the parameter holds canonicals, which lead to a resource by its ``url`` too.
    ``among`` are types and ids that are as good as ``matches``: many, that were looked up.
    """

    param: str
    matches: tuple[ReferenceMatch, ...]
    negate: bool = False
    named: bool = False
    among: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class IdentifierFilter:
    """``param:identifier``: a reference whose ``Reference.identifier`` is one of ``matches``."""

    param: str
    matches: tuple[TokenMatch, ...]


@dataclass(frozen=True, slots=True)
class StringFilter:
    """A text that compares, by ``mode``, with one of ``texts`` (as the query gave them)."""

    param: str
    texts: tuple[str, ...]
    mode: StringMode = StringMode.STARTS


@dataclass(frozen=True, slots=True)
class DateFilter:
    """A date parameter of the resource, or ``_lastUpdated``."""

    param: str
    matches: tuple[DateMatch, ...]


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """A number parameter."""

    param: str
    matches: tuple[NumberMatch, ...]


@dataclass(frozen=True, slots=True)
class QuantityFilter:
    """A quantity parameter."""

    param: str
    matches: tuple[QuantityMatch, ...]


@dataclass(frozen=True, slots=True)
class UriFilter:
    """A uri parameter."""

    param: str
    uris: tuple[str, ...]
    mode: UriMode = UriMode.EXACT


@dataclass(frozen=True, slots=True)
class MissingFilter:
    """``param:missing=true`` (no value at all) or ``false``."""

    param: str
    missing: bool


@dataclass(frozen=True, slots=True)
class IdFilter:
    """``_id``: one of ``ids``; ``_id:not`` none of them."""

    ids: tuple[str, ...]
    negate: bool = False


@dataclass(frozen=True, slots=True)
class CompartmentFilter:
    """Belongs to a compartment: one of ``links`` holds, or it is one of ``ids`` itself.

    ``negate`` as in ``TokenFilter``.
    """

    links: tuple[ReferenceFilter, ...]
    ids: tuple[str, ...] = ()
    negate: bool = False


@dataclass(frozen=True, slots=True)
class CompositeFilter:
    """Any of ``matches`` where each component's filter holds within one ``CompositeValue``.

    The filters of a match stand in the order of the components; their ``param`` is ``""``.
    """

    param: str
    matches: tuple[tuple[Filter, ...], ...]


@dataclass(frozen=True, slots=True)
class ChainFilter:
    """``param:Type.filter`` (§3.1.1.5.7): refers to one of ``types`` that matches.

    ``filters`` has one filter for each of ``types``, in their order.
    """

    param: str
    types: tuple[str, ...]
    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class HasFilter:
    """``_has:Type:param:filter`` (§3.1.1.5.8): a matching ``type`` refers to us."""

    type: str
    param: str
    filter: Filter


@dataclass(frozen=True, slots=True)
class AllFilter:
    """Every one of ``filters`` holds: what a link of a chain leads to may have to match several."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class EitherFilter:
    """Every filter of one of ``alternatives`` holds; without any it holds for nothing.

    So ``_filter`` says it, and so what a caller may see enters a query.
    """

    alternatives: tuple[tuple[Filter, ...], ...]


@dataclass(frozen=True, slots=True)
class NotFilter:
    """What ``filter`` does not hold for."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class OtherFilter:
    """A value of the parameter that ``filter`` is about is there, and it does not hold for it."""

    filter: Filter

    @property
    def param(self) -> str:
        """The parameter that it is about."""
        return param_of(self.filter)


Filter: TypeAlias = (
    TokenFilter
    | ConceptFilter
    | TextFilter
    | ReferenceFilter
    | IdentifierFilter
    | StringFilter
    | DateFilter
    | NumberFilter
    | QuantityFilter
    | UriFilter
    | MissingFilter
    | IdFilter
    | CompartmentFilter
    | CompositeFilter
    | ChainFilter
    | HasFilter
    | AllFilter
    | EitherFilter
    | NotFilter
    | OtherFilter
)


def param_of(filter_: Filter) -> str:
    """The parameter that a filter about the values of one is about."""
    param = getattr(filter_, "param", None)
    assert isinstance(param, str)
    return param


def parts_of(filter_: Filter) -> tuple[Filter, ...]:
    """The filters that a filter is made of, if it is made of some that all must hold; else it."""
    return filter_.filters if isinstance(filter_, AllFilter) else (filter_,)


def within(filter_: Filter) -> tuple[Filter, ...]:
    """The filters of the same resource that a filter is made of."""
    match filter_:
        case AllFilter(filters):
            return filters
        case EitherFilter(alternatives):
            return tuple([one for filters in alternatives for one in filters])
        case NotFilter(inner):
            return (inner,)
        case _:
            return ()


def hangs_on_terminology(filter_: Filter) -> bool:
    """Whether the codes that a filter asks for have to be looked up before a search."""
    match filter_:
        case ConceptFilter():
            return True
        case ChainFilter(filters=filters):
            return any(map(hangs_on_terminology, filters))
        case HasFilter(filter=inner):
            return hangs_on_terminology(inner)
        case OtherFilter(inner):
            return hangs_on_terminology(inner)
        case _:
            return any(map(hangs_on_terminology, within(filter_)))


class Total(StrEnum):
    """How much trouble to take over ``Bundle.total`` (``_total``, §3.1.1.3)."""

    NONE = "none"
    ESTIMATE = "estimate"
    ACCURATE = "accurate"


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of ``_sort``. ``param`` may be ``_id`` or ``_lastUpdated``.

    A resource without a value comes first in ascending order and last in descending order; of
    several values the least counts in ascending order and the greatest in descending order.
    """

    param: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """``_include=source:param[:target]``; ``param`` ``"*"`` is every reference parameter."""

    source: str
    param: str
    target: str = ""
    iterate: bool = False


#: What matches are put in order by.
Ordered: TypeAlias = int | str | Decimal


class Place(NamedTuple):
    """Where a match stands in the order of a query, as the store that found it says it.

    ``values`` are what it is sorted by, one for each key of ``sort`` (``None`` without a value),
    or its natural time alone; ``number`` tells those apart that tie.
    """

    values: tuple[Ordered | None, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed search of one resource type.

    Matches come in the order of ``sort`` and then of creation (its reverse where the first key
    descends); without ``sort`` in the order of their natural time (``stores.natural``). ``count``
    is the page's size (0 to 1000), ``offset`` the matches to skip. Only those come that stand
    behind ``after``, whether what stood there is still a match or not; with ``back`` those that
    stand before it, the nearest ``count`` of them. ``rev_includes`` name the source that refers to
    a match.

    A page ends early with the match by which its bodies reach ``most`` bytes; what it includes has
    as many again. ``placed``: the place of each match is asked for,
    ``dated``: the moment of the answer (``Store.moment``).

    ``catalogue`` has the search parameters that it was read by.

    ``derived`` is where whoever answers a query that is asked again and again (``lasting``) keeps
    what they have worked out for it, under a key of their own; what is made of a query by
    ``replace`` has none of it.
    """

    type: str
    filters: tuple[Filter, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = 20
    offset: int = 0
    after: Place | None = None
    back: bool = False
    total: Total = Total.NONE
    summary_count: bool = False
    elements: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    rev_includes: tuple[Include, ...] = field(default=())
    most: int | None = None
    placed: bool = False
    dated: bool = False
    catalogue: Catalogue = field(default=R4, repr=False, compare=False)
    derived: dict[Hashable, Any] | None = field(default=None, init=False, repr=False, compare=False)


def lasting(query: Query) -> Query:
    """The query as one that is kept, and asked again and again."""
    object.__setattr__(query, "derived", {})
    return query
