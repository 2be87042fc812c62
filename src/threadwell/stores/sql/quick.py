"""Which searches need no look at the database before it is known how to answer them."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

from threadwell.fhir.search.catalogue import Catalogue
from threadwell.fhir.search.query import (
    CompartmentFilter,
    DateFilter,
    Filter,
    IdentifierFilter,
    MissingFilter,
    Query,
    ReferenceFilter,
    TokenFilter,
    Total,
    UriFilter,
)
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.plan import Lead, Order, compound_leads, covers, order_of, single_leads

#: Letters that a search may ask for, beyond which its lead is not remembered; and how many each
#: value counts for beside its own.
_SHORT, _VALUE = 4_000, 100


def quick_lead(keys: Keys, project: str, query: Query) -> Lead | None:
    """The lead that is all of the answer, in its order; ``None`` where more has to be asked.

    More is to be asked for includes, totals and chains, and for dates: only the database knows
    which of their lists hold anything. Nor is it known of long searches, which are rare: too much
    would have to be remembered.
    """
    if query.includes or query.rev_includes or query.total is not Total.NONE:
        return None
    order, _ = order_of(query)
    if query.summary_count or order is Order.OTHER:
        return None
    letters = 0
    for filter_ in query.filters:
        more = _letters(filter_)
        if more is None:
            return None
        letters += more
    if letters > _SHORT:
        return None
    catalogue = keys.bases.of(project).catalogue
    return _covering(keys, project, catalogue, query.type, query.filters, order)


@lru_cache(maxsize=4096)
def _covering(
    keys: Keys,
    project: str,
    catalogue: Catalogue,  # noqa: ARG001 - with another one, lists may hold other things
    type_: str,
    filters: tuple[Filter, ...],
    order: Order,
) -> Lead | None:
    query = Query(type_, filters)
    compiler = Compiler(keys, project, type_)
    conditions = map(compiler.condition, filters)
    found = chain(
        compound_leads(keys, project, query), single_leads(keys, project, query, conditions)
    )
    return next((lead for lead in found if covers(lead, len(filters), order)), None)


def _letters(filter_: Filter) -> int | None:
    """How long a filter is; ``None`` for those that no lead in the order of an answer settles."""
    match filter_:
        case MissingFilter():
            return _VALUE
        case TokenFilter(_, tokens) | IdentifierFilter(_, tokens):
            texts = [(token.system or "") + (token.code or "") for token in tokens]
        case ReferenceFilter(_, references):
            texts = [reference.id + reference.url for reference in references]
        case CompartmentFilter(links, ()):
            texts = [match.id for link in links for match in link.matches]
        case DateFilter("_lastUpdated", dates):
            return _VALUE * len(dates)
        case UriFilter(_, uris):
            return _VALUE * len(uris) + sum(map(len, uris))
        case _:
            return None
    return _VALUE * len(texts) + sum(map(len, texts))
