"""What is left of a policy where there are other search parameters than it was compiled by.

Criteria by a parameter that is gone cannot be asked any more: nothing has a value of it, so
``:not`` and ``:missing`` would hold for everything. Their entries allow nothing until the policy is
compiled anew. A parameter whose definition has changed asks for something else, and is as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from threadwell.access.policy import Entry, Policy, ordered
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Catalogue
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    CompartmentFilter,
    EitherFilter,
    Filter,
    HasFilter,
    IdFilter,
    param_of,
    within,
)


def under(policy: Policy, catalogue: Catalogue) -> Policy:
    """The policy by the parameters of a catalogue; itself where it was compiled by these."""
    was = policy.catalogue
    if was is catalogue:
        return policy
    left = {
        type_: [entry for entry in of if stands(entry, was, catalogue)]
        for type_, of in policy.entries.items()
    }
    glass = policy.glass and under(policy.glass, catalogue)
    entries = ordered({type_: of for type_, of in left.items() if of})
    return replace(policy, entries=entries, glass=glass, catalogue=catalogue)


def stands(entry: Entry, was: Catalogue, now: Catalogue) -> bool:
    """Whether the criteria of an entry mean by the parameters of now what they did."""
    return means_alike(entry.type, entry.filters, was, now)


def means_alike(type_: str, filters: Iterable[Filter], was: Catalogue, now: Catalogue) -> bool:
    """Whether filters of a type mean by the parameters of now what they did."""
    return all(
        was.found(of).get(code) == now.found(of).get(code) for of, code in _asked(type_, filters)
    )


def own_codes(entries: Iterable[Entry], catalogue: Catalogue) -> frozenset[tuple[str, str]]:
    """The parameters that R4 does not have, each with its type, by which entries have criteria."""
    return frozenset(
        (type_, code)
        for entry in entries
        for type_, code in _asked(entry.type, entry.filters)
        if (of := catalogue.of(type_)) is not None and code in of.own
    )


def defines_own(policy: Policy, resource: Resource) -> bool:
    """Whether a SearchParameter says what some criteria of a policy mean."""
    code, bases = resource.get("code"), resource.get("base", ())
    return any((type_, code) in policy.own for type_ in bases)


def _asked(type_: str, filters: Iterable[Filter]) -> Iterator[tuple[str, str]]:
    """The parameters, each with its type, by which filters of a type ask."""
    for filter_ in filters:
        match filter_:
            case ChainFilter(param, types, further):
                yield type_, param
                for to, one in zip(types, further, strict=True):
                    yield from _asked(to, (one,))
            case HasFilter(of, param, further_):
                yield of, param
                yield from _asked(of, (further_,))
            case CompartmentFilter(links):
                yield from _asked(type_, links)
            case IdFilter():
                pass
            case _ if parts := within(filter_):
                yield from _asked(type_, parts)
            case AllFilter() | EitherFilter():
                pass
            case _:
                yield type_, param_of(filter_)
