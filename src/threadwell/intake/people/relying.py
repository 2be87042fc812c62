"""Who was found at addresses, so that a commit can be refused where that has changed meanwhile.

What is decided of a message rests on who has its addresses. Somebody who gets one of them between
the decision and the commit must not be passed over: the commit looks again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from threadwell.fhir.resource import Resource
from threadwell.fhir.search.fold import contact_code
from threadwell.fhir.search.query import Filter, IdFilter, Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.stores.contract import Key, Stored, Unchanged, Unmatched

#: Types that a telecom search finds, and that may stand behind an address.
BY_TELECOM = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole")


@dataclass(slots=True)
class Found:
    """The people whom searches have found, by the tokens of their telecoms."""

    _by_token: dict[str, dict[Key, Stored]] = field(default_factory=dict)

    def add(self, stored: Stored, person: Resource) -> None:
        """A search has found them."""
        bare = stored._replace(body=b"")
        for point in person.get("telecom") or ():
            value = str(point.get("value", ""))
            for token in {value, contact_code(value)}:
                there = self._by_token.setdefault(token, {})
                there[Key(stored.type, stored.id)] = bare

    def forget(self, people: Collection[str]) -> None:
        """Those people (``Patient/…``) have changed."""
        for there in self._by_token.values():
            for key in [key for key in there if f"{key.type}/{key.id}" in people]:
                del there[key]

    def conditions(self, tokens: Iterable[str]) -> tuple[list[Unmatched], list[Unchanged]]:
        """What has to hold at the commit: those people are as they were, and nobody else is there.

        ``tokens`` are those of the addresses.
        """
        codes = sorted(set(tokens))
        people: dict[Key, Stored] = {}
        for code in codes:
            people.update(self._by_token.get(code, {}))
        has = TokenFilter("telecom", tuple(TokenMatch(None, code) for code in codes))
        unmatched = []
        for type_ in BY_TELECOM:
            ids = tuple(sorted(key.id for key in people if key.type == type_))
            filters: tuple[Filter, ...] = (has, IdFilter(ids, negate=True)) if ids else (has,)
            unmatched.append(Unmatched(Query(type_, filters)))
        return unmatched, [Unchanged(one) for one in people.values()]
