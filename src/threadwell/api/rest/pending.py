"""What a transaction is about to make, for conditional references to find.

They are resolved when all else has been done (FHIR R4 §3.1.0.11.2), so what they select may be new
with the same transaction, and what it deletes or replaces is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from threadwell.api.context import Context
from threadwell.api.rest.links import Links
from threadwell.api.rest.targets import Target
from threadwell.fhir.marks import strip
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import Subject, matches
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.values import IndexValues, ReferenceValue, TokenValue
from threadwell.fhir.validation import validate
from threadwell.stores.contract import Key

#: How often all conditions of one transaction together look at one of its new resources.
_MOST_LOOKS = 1_000_000


class Pending:
    """The resources of a transaction's targets, as they will be. A patched one counts as it was."""

    def __init__(self, context: Context, targets: Sequence[Target], links: Links, now: int) -> None:
        self._context = context
        self._targets = targets
        self._links = links
        self._now = now
        self._looks = _MOST_LOOKS
        self._coded: dict[str, dict[tuple[str, str], list[_Made]]] = {}

    async def find(self, query: Query) -> list[Key]:
        """At most two of what ``query`` will match.

        Raises 400 where the conditions of a transaction have it look at too much.
        """
        replaced = self._replaced.get(query.type, frozenset())
        wider = replace(query, count=query.count + len(replaced))
        page = await self._context.view.search(self._context.project, wider)
        there = [Key(match.type, match.id) for match in page.matches]
        found = [key for key in there if key.id not in replaced]
        candidates = self._candidates(query)
        self._looks -= len(candidates)
        if self._looks < 0:
            raise _too_costly()
        found += [
            made.key for made in candidates if all(matches(each, made) for each in query.filters)
        ]
        return found[:2]

    def _candidates(self, query: Query) -> Collection[_Made]:
        """What may match the query: where it names a code, such as an identifier, what has it."""
        for each in query.filters:
            if isinstance(each, TokenFilter) and (codes := _codes(each)):
                by_code = self._by_code(query.type)
                found = (by_code.get((each.param, code), ()) for code in codes)
                return {made.key: made for listed in found for made in listed}.values()
        return self._by_type.get(query.type, ())

    @cached_property
    def _replaced(self) -> dict[str, frozenset[str]]:
        ids: dict[str, set[str]] = {}
        for target in self._targets:
            if target.entry.request.method in ("PUT", "DELETE"):
                ids.setdefault(target.type, set()).add(target.id)
        return {type_: frozenset(each) for type_, each in ids.items()}

    @cached_property
    def _by_type(self) -> dict[str, list[_Made]]:
        by_type: dict[str, list[_Made]] = {}
        for made in self._made.values():
            by_type.setdefault(made.type, []).append(made)
        return by_type

    def _by_code(self, type_: str) -> dict[tuple[str, str], list[_Made]]:
        """The new resources of a type by each parameter and code that they have."""
        if type_ not in self._coded:
            by_code = self._coded[type_] = {}
            for made in self._by_type.get(type_, ()):
                for param, values in made.values.items():
                    for code in {v.code for v in values if isinstance(v, TokenValue)}:
                        by_code.setdefault((param, code), []).append(made)
        return self._coded[type_]

    @cached_property
    def _made(self) -> dict[Key, _Made]:
        made: dict[Key, _Made] = {}
        bases = self._context.bases
        for target in self._targets:
            method = target.entry.request.method
            if method == "PUT" or (method == "POST" and target.current is None):
                resource = self._links.led(target)
                if isinstance(resource, dict) and resource.get("resourceType") == target.type:
                    made.setdefault(
                        target.key, _Made(*target.key, self._now, resource, bases, made)
                    )
        return made


@dataclass
class _Made:
    """A new resource as search sees it; chains lead from it to ``others`` that are new as well."""

    type: str
    id: str
    updated: int
    resource: Resource
    bases: frozenset[str]
    others: dict[Key, _Made]

    @property
    def key(self) -> Key:
        """The name of the resource."""
        return Key(self.type, self.id)

    @cached_property
    def values(self) -> IndexValues:
        strip(self.resource)
        for _, reference in references(self.resource):
            if "?" in reference["reference"]:
                # Where it leads is not known before all conditions are resolved.
                reference.clear()
                reference["display"] = "unresolved"
        # What is not valid fails the transaction by itself.
        return {} if validate(self.resource) else extract(self.resource, self.bases)

    def referred(self, param: str) -> Iterator[Subject]:
        return (self.others[key] for key in self._references(param) if key in self.others)

    def referring(self, type_: str, param: str) -> Iterator[Subject]:
        me = self.key
        sources = (other for other in self.others.values() if other.type == type_)
        return (source for source in sources if me in source._references(param))

    def _references(self, param: str) -> list[Key]:
        values = self.values.get(param, ())
        found = [value for value in values if isinstance(value, ReferenceValue)]
        return [Key(value.type, value.id) for value in found if value.id]


def _codes(filter_: TokenFilter) -> list[str]:
    """The codes of which a match has one; none where it may be without any of them."""
    codes = [match.code for match in filter_.matches if match.code]
    return [] if filter_.negate or len(codes) < len(filter_.matches) else codes


def _too_costly() -> FhirError:
    text = "The conditions of one transaction look at too much: name identifiers in them"
    return FhirError(400, [Issue("too-costly", text)])
