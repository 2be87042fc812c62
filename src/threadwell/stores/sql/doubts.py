"""What the index leaves in doubt, asked of the resource itself."""

from __future__ import annotations

from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.search.match import values_match
from threadwell.fhir.search.query import Filter
from threadwell.fhir.search.values import IndexValues
from threadwell.fhir.search.within import searched_values


class Doubts(NamedTuple):
    """Filters of a search of ``type``, which may be an inner one; none leave no doubt.

    ``bases`` are our own.
    """

    type: str
    filters: tuple[Filter, ...]
    bases: frozenset[str]

    def hold(self, body: bytes) -> bool:
        """Whether all filters hold for a resource, or for one and the same that it contains."""
        return any(
            self.hold_for(values) for values in searched_values(self.type, decode(body), self.bases)
        )

    def hold_for(self, values: IndexValues) -> bool:
        """Whether all filters hold for something of those values."""
        return all(
            values_match(doubt, values.get(doubt.param, ()))  # type: ignore[union-attr]
            for doubt in self.filters
        )


#: Nothing is in doubt.
SURE = Doubts("", (), frozenset())
