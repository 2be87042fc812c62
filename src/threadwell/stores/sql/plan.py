"""Which condition leads a search: the posting lists to walk, and what to ask on the way.

The choice follows two rules. A lead in the order of the answer that covers every filter is walked
for as many matches as the page has, however long it is. Else the shortest lead is taken, as every
other criterion is one look at an exact place of the index; lengths are counted only so far as the
choice needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product
from typing import NamedTuple, TypeAlias

from threadwell.fhir.search.query import (
    AllFilter,
    CompartmentFilter,
    DateFilter,
    EitherFilter,
    Filter,
    IdFilter,
    MissingFilter,
    NotFilter,
    Place,
    Query,
    ReferenceFilter,
    TokenFilter,
)
from threadwell.fhir.search.within import is_inner
from threadwell.stores.natural import NATURAL, NO_TIME
from threadwell.stores.sql.compounds import OTHER, Compound, compound_form, compounds
from threadwell.stores.sql.conditions import Condition, Stream, TextScan
from threadwell.stores.sql.keys import (
    Keys,
    every,
    every_updated,
    of_code,
    of_reference,
    scope,
    token_form,
)
from threadwell.stores.sql.ranges import HIGHEST, LOWEST

#: A lead of fewer entries than this is taken whatever the order of the answer is.
FEW = 64
#: Beyond this a lead in the order of the answer is walked rather than another one sorted.
MANY = 4096
#: More lists than this are not merged but gathered and sorted.
MERGED = 16


#: The lists of a lead that are nothing but its matches, each once.
Lists: TypeAlias = tuple[int, ...]


class Order(StrEnum):
    """The orders that posting lists have, and ``OTHER`` for any that none has."""

    NATURAL = "natural"
    UPDATED = "updated"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Lead:
    """What a search walks. ``settled`` are the positions of the filters that it leaves no doubt
    about, ``led`` of those that it need not probe for; exactly one of ``streams``, ``text`` and
    ``ids`` is there. ``apart``: none is in two of its streams.
    """

    order: Order
    led: frozenset[int] = frozenset()
    settled: frozenset[int] = frozenset()
    streams: tuple[Stream, ...] | None = None
    text: TextScan | None = None
    ids: tuple[str, ...] | None = None
    apart: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether some of its lists may hold more than matches."""
        return any(not stream.exact for stream in self.streams or ())


def order_of(query: Query) -> tuple[Order, bool]:
    """The order that a query asks for, and whether it is to be walked from its end."""
    sort, back = query.sort, query.back
    if not sort:
        return Order.NATURAL, back
    descending = sort[0].descending is not back
    if len(sort) == 1:
        if sort[0].param == "_lastUpdated":
            return Order.UPDATED, descending
        if sort[0].param == NATURAL.get(query.type):
            return Order.NATURAL, descending
    return Order.OTHER, descending


class Entry(NamedTuple):
    """An entry of a list, or the resource that it is for, by the order of the list."""

    sort: int
    rid: int


def entry_of(place: Place, order: Order) -> Entry:
    """Where a search goes on in lists of that order.

    ``meta.lastUpdated`` is in milliseconds, its lists are in microseconds.
    """
    (value,) = place.values
    if order is Order.UPDATED:
        assert isinstance(value, int)
        return Entry(max(LOWEST, min(value * 1000, HIGHEST)), place.number)
    return Entry(value if isinstance(value, int) else NO_TIME, place.number)


def place_of(entry: Entry, order: Order) -> Place:
    """The place of an entry of a list of that order."""
    sort, rid = entry
    return Place((sort // 1000 if order is Order.UPDATED else sort,), rid)


def start(stream: Stream, after: Entry, *, descending: bool) -> Entry:
    """Behind which entry a walk along a list begins, so that it is behind ``after`` as well."""
    if descending:
        return min(after, Entry(stream.high, HIGHEST))
    return max(after, Entry(stream.low, LOWEST))


def covers(lead: Lead, filters: int, order: Order | None) -> bool:
    """Whether nothing needs to be asked beside the lead, which is in the order of the answer.

    ``order`` is ``None`` where the answer has none (a count).
    """
    in_order = order is None or lead.order is order
    few = lead.streams is not None and len(lead.streams) <= MERGED
    return in_order and few and len(lead.settled) == filters


def covering(leads: Sequence[Lead], filters: int, order: Order | None) -> Lead | None:
    """The first lead that covers every filter."""
    return next((lead for lead in leads if covers(lead, filters, order)), None)


def shortest(leads: Sequence[Lead], lengths: Sequence[int], limit: int) -> Lead | None:
    """The lead of the least length where that is below ``limit``, as far as they were counted."""
    length, position = min(zip(lengths, range(len(leads)), strict=True))
    return leads[position] if length < limit else None


def widest(leads: Sequence[Lead], order: Order | None) -> Lead:
    """The lead to walk where all are long."""
    return max(leads, key=lambda lead: (lead.order is order, len(lead.settled)))


def leads(
    keys: Keys, project: str, query: Query, conditions: Sequence[Condition]
) -> Iterator[Lead]:
    """Everything that could lead the search, the widest coverage first."""
    yield from compound_leads(keys, project, query)
    yield from single_leads(keys, project, query, conditions)


def having(keys: Keys, project: str, query: Query) -> tuple[int, int] | None:
    """The keys of the list of all, and of those that lack a parameter, where a query asks only that
    it is there: as many match as the first has more than the second.
    """
    match query.filters:
        case (MissingFilter(param, missing=False),):
            for compound in compounds(query.type):
                if compound.missing == (param,) and not (compound.params or compound.updated):
                    under = scope(project, compound.type, compound.name)
                    return keys.key(every(project, query.type)), keys.key(under)
    return None


def counted_lists(lead: Lead, filters: int) -> Lists | None:
    """The lists whose lengths together are the number of matches; ``None`` where they are not."""
    streams = lead.streams
    if streams is None or len(lead.settled) < filters or not (lead.apart or len(streams) == 1):
        return None
    whole = all(stream.whole and stream.exact for stream in streams)
    return tuple([stream.key for stream in streams]) if whole else None


def compound_leads(keys: Keys, project: str, query: Query) -> Iterator[Lead]:
    """The lists of several criteria together that hold every match."""
    absent = {
        filter_.param: position
        for position, filter_ in enumerate(query.filters)
        if isinstance(filter_, MissingFilter) and filter_.missing
    }
    asked = {
        filter_.param
        for filter_ in query.filters
        if not isinstance(
            filter_, IdFilter | CompartmentFilter | AllFilter | EitherFilter | NotFilter
        )
    }
    for compound in compounds(query.type):
        if not (absent.keys() >= set(compound.missing) and asked.issuperset(compound.params)):
            continue
        lead = _compound_lead(keys, project, query, compound, absent)
        if lead:
            yield lead


def single_leads(
    keys: Keys, project: str, query: Query, conditions: Iterable[Condition]
) -> Iterator[Lead]:
    """What a single filter leads to, and the lists of all resources of the type."""
    for position, condition in enumerate(conditions):
        here = frozenset((position,))
        settled = here if condition.exact else frozenset()
        if condition.keys is not None and not condition.negate:
            streams = tuple(Stream(key) for key in condition.keys)
            yield Lead(Order.NATURAL, here, settled, streams=streams)
        elif condition.streams is not None:
            order = _stream_order(query.type, condition)
            settled = here if all(stream.exact for stream in condition.streams) else frozenset()
            yield Lead(order, here, settled, streams=condition.streams)
        elif condition.text is not None:
            yield Lead(Order.OTHER, here, settled, text=condition.text)
        elif condition.ids is not None:
            yield Lead(Order.OTHER, here, settled, ids=condition.ids)
    yield Lead(Order.NATURAL, streams=(Stream(keys.key(every(project, query.type))),))
    if not is_inner(query.type):
        yield Lead(Order.UPDATED, streams=(Stream(keys.key(every_updated(project, query.type))),))


def natural_dates(type_: str, conditions: Sequence[Condition]) -> dict[int, tuple[Stream, ...]]:
    """The lists of conditions on the natural date, by position.

    A list in natural order can be entered where they begin, and probes them at its own place.
    """
    return {
        position: condition.streams
        for position, condition in enumerate(conditions)
        if condition.streams is not None and _stream_order(type_, condition) is Order.NATURAL
    }


def narrowed(
    lead: Lead,
    natural: Mapping[int, tuple[Stream, ...]],
    filled: Callable[[Sequence[Stream]], tuple[Stream, ...]],
) -> Lead:
    """A lead without what cannot match, where doubt may end with it.

    ``natural`` are the ``natural_dates`` that hold anything; ``filled`` picks those of some
    streams that do.
    """
    streams = lead.streams
    doubtful = lead.doubtful
    if streams is None or not (doubtful or natural):
        return lead
    settled = lead.settled
    if doubtful:
        streams = filled(streams)
        if all(stream.exact for stream in streams):
            settled = lead.led
    if lead.order is Order.NATURAL:
        for position, dates in natural.items():
            if position not in lead.led:
                low = min((date.low for date in dates), default=HIGHEST)
                high = max((date.high for date in dates), default=LOWEST)
                streams = tuple(
                    replace(stream, low=max(low, stream.low), high=min(high, stream.high))
                    for stream in streams
                )
    return replace(lead, settled=settled, streams=streams)


def _compound_lead(
    keys: Keys, project: str, query: Query, compound: Compound, absent: Mapping[str, int]
) -> Lead | None:
    settled = {absent[param] for param in compound.missing}
    parts: list[list[str]] = []
    apart = True
    for param in compound.params:
        part = next(
            (
                (position, found)
                for position, filter_ in enumerate(query.filters)
                if (found := _forms(filter_, param, compound.closed.get(param))) is not None
            ),
            None,
        )
        if part is None:
            return None
        position, (forms, exact) = part
        if exact:
            settled.add(position)
        parts.append(forms)
        # A code of a closed set has one resource once.
        apart = apart and (len(forms) == 1 or param in compound.closed)
    under = scope(project, compound.type, compound.name)
    forms_together = [compound_form(forms) for forms in product(*parts)] if parts else [""]
    streams = tuple(Stream(keys.key(under + form)) for form in forms_together)
    order = Order.UPDATED if compound.updated else Order.NATURAL
    # What is covered but not settled is probed as if the lead did not know of it.
    return Lead(order, frozenset(settled), frozenset(settled), streams=streams, apart=apart)


def _stream_order(type_: str, condition: Condition) -> Order:
    """The lists of the natural date are themselves in natural order."""
    if condition.updated:
        return Order.UPDATED
    match condition.filter:
        case DateFilter(param) if param == NATURAL.get(type_):
            return Order.NATURAL
        case _:
            return Order.OTHER


def _forms(
    filter_: Filter, param: str, closed: tuple[str, ...] | None
) -> tuple[list[str], bool] | None:
    """The forms of a compound's part that hold every match; ``None`` if it cannot serve."""
    match filter_:
        case ReferenceFilter(of, references, False) if of == param and not closed:
            if any(reference.url or not reference.type for reference in references):
                return None
            return [of_reference(r.type, r.id) for r in dict.fromkeys(references)], True
        case TokenFilter(of, tokens, negate) if of == param:
            if closed:
                if any(token.system is not None or token.code is None for token in tokens):
                    return None
                codes = {token.code for token in tokens}
                known = codes <= set(closed)
                if negate:
                    return [*(of_code(code) for code in closed if code not in codes), OTHER], known
                return (
                    ([of_code(code) for code in closed if code in codes], True) if known else None
                )
            forms = [token_form(token) for token in dict.fromkeys(tokens)]
            if negate or any(t.code is None for t in tokens) or not all(e for _, e in forms):
                return None
            return [form for form, _ in forms if form], True
        case _:
            return None
