"""Which searches need no look at the database before it is known how to answer them."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

from threadwell.fhir.search.query import (
    ChainFilter,
    DateFilter,
    Filter,
    HasFilter,
    Query,
    Total,
)
from threadwell.stores.sql.condition import Compiler
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.plan import Lead, Order, compound_leads, covers, order_of, single_leads


def quick_lead(keys: Keys, project: str, query: Query) -> Lead | None:
    """The lead that is all of the answer, in its order; ``None`` where more has to be asked.

    More is to be asked for includes, totals and chains, and for dates: only the database knows
    which of their lists hold anything.
    """
    if query.includes or query.rev_includes or query.total is not Total.NONE:
        return None
    order, _ = order_of(query.type, query.sort)
    if query.summary_count or order is Order.OTHER:
        return None
    for filter_ in query.filters:
        if isinstance(filter_, ChainFilter | HasFilter):
            return None
        if isinstance(filter_, DateFilter) and filter_.param != "_lastUpdated":
            return None
    return _covering(keys, project, query.type, query.filters, order)


@lru_cache(maxsize=4096)
def _covering(
    keys: Keys, project: str, type_: str, filters: tuple[Filter, ...], order: Order
) -> Lead | None:
    query = Query(type_, filters)
    compiler = Compiler(keys, project, type_)
    conditions = map(compiler.condition, filters)
    found = chain(
        compound_leads(keys, project, query), single_leads(keys, project, query, conditions)
    )
    return next((lead for lead in found if covers(lead, len(filters), order)), None)
