"""What is asked by a search parameter that the store is not indexed by is refused.

Nothing is found by it; and ``:not`` and ``:missing`` would find everything. Whoever reads a query
by the parameters that there are asks no such thing, unless these have changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Container

from threadwell.fhir.search.query import (
    ChainFilter,
    CompositeFilter,
    DateFilter,
    Filter,
    IdentifierFilter,
    MissingFilter,
    NumberFilter,
    OtherFilter,
    QuantityFilter,
    ReferenceFilter,
    StringFilter,
    TextFilter,
    TokenFilter,
    UriFilter,
)
from threadwell.stores.contract import Unindexed

#: The filters that ask for values of a parameter of the type that is searched.
_ASKING_HERE = (
    *(TokenFilter, ReferenceFilter, IdentifierFilter, CompositeFilter, MissingFilter, DateFilter),
    *(NumberFilter, QuantityFilter, StringFilter, TextFilter, UriFilter, ChainFilter, OtherFilter),
)


def check_indexed(type_: str, filter_: Filter, found: Container[str]) -> None:
    """Raise ``Unindexed`` for a filter of a type by a parameter that is not among ``found``."""
    if isinstance(filter_, _ASKING_HERE) and filter_.param not in found:
        raise Unindexed(f"{type_} is not indexed by {filter_.param}: ask again")
