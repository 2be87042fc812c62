"""What the URL of a search asks, worked out once for all who ask alike.

Clients ask the same again and again: a list is kept fresh, a page is opened by many. What hangs on
the clock, takes much room or begins in the middle is worked out each time.
"""

from __future__ import annotations

from typing import NamedTuple

from threadwell.api.page_links import PageLinks, Params
from threadwell.api.params import parse_params
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.search.compartments import COMPARTMENT
from threadwell.fhir.search.field import Unsearchable
from threadwell.fhir.search.parse import is_lasting, parse_query
from threadwell.fhir.search.query import Query, lasting
from threadwell.fhir.stamp import Clock
from threadwell.stores.naming import has_names

#: Searches that are remembered at a time, of no more letters than this.
_MOST, _SHORT = 2_000, 400


class Asked(NamedTuple):
    """A search. ``by_name``: what it refers to may have other names in the store."""

    query: Query
    links: PageLinks
    by_name: bool


class Asking:
    """Reads searches of the FHIR API at ``fhir``, known under ``bases``, for pages of no more
    bytes than ``most``.
    """

    __slots__ = ("_bases", "_clock", "_fhir", "_known", "_most")

    def __init__(self, fhir: str, bases: frozenset[str], clock: Clock, most: int) -> None:
        self._fhir = fhir
        self._bases = bases
        self._clock = clock
        self._most = most
        self._known: dict[tuple[str, str, str], Asked] = {}

    def of_url(self, type_: str, compartment: str, text: str) -> Asked:
        """What the query of a URL asks; raises ``FhirError`` 400."""
        place = (type_, compartment, text)
        known = self._known.get(place)
        if known is not None:
            return known
        params = parse_params(text)
        asked = self.of(type_, compartment, params)
        if len(text) <= _SHORT and is_lasting(asked.query, params):
            if len(self._known) >= _MOST:
                self._known.clear()
            lasting(asked.query)
            self._known[place] = asked
        return asked

    def leniently(
        self, type_: str, compartment: str, params: Params
    ) -> tuple[Asked, tuple[str, ...]]:
        """What they ask but for those that nothing can be searched by; and the names of these."""
        taken: list[tuple[str, str]] = []
        ignored: list[str] = []
        for name, value in params:
            try:
                check_names([(name, value)])
                parse_query(type_, [(name, value)], bases=self._bases, now=self._clock)
            except Unsearchable:
                ignored.append(name)
            except FhirError:
                # It tells what is wrong, together with the others.
                taken.append((name, value))
            else:
                taken.append((name, value))
        return self.of(type_, compartment, taken), tuple(dict.fromkeys(ignored))

    def of(self, type_: str, compartment: str, params: Params) -> Asked:
        """What the parameters ask, within a compartment (``Patient/1``) if there is one."""
        check_names(params)
        base = f"{self._fhir}/{type_}"
        within: Params = ()
        if compartment:
            base = f"{self._fhir}/{compartment}/{type_}"
            within = [(COMPARTMENT, compartment)]
        query = parse_query(
            type_, [*within, *params], bases=self._bases, now=self._clock, most=self._most
        )
        return Asked(query, PageLinks(base, params, query.count), has_names(query))


def check_names(params: Params) -> None:
    """Raise 400 for a parameter of other servers that clients ask for."""
    for name, _ in params:
        if name == "_totalMethod":
            # fhirpy's clients count by a parameter of another server.
            told = "Unknown search parameter: _totalMethod. R4 has _total and _summary=count"
            raise Unsearchable(400, [Issue("invalid", told)])
