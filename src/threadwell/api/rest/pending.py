"""What a transaction is about to make, for conditional references to find.

They are resolved when all else has been done (FHIR R4 §3.1.0.11.2), so what they select may be new
with the same transaction, and what it deletes or replaces is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from threadwell.api.context import Context
from threadwell.api.rest.links import Links
from threadwell.api.rest.marks import strip
from threadwell.api.rest.targets import Target
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import Subject, matches
from threadwell.fhir.search.query import Query
from threadwell.fhir.search.values import IndexValues, ReferenceValue
from threadwell.fhir.validation import validate
from threadwell.stores.contract import Key


class Pending:
    """The resources of a transaction's targets, as they will be. A patched one counts as it was."""

    def __init__(self, context: Context, targets: Sequence[Target], links: Links, now: int) -> None:
        self._context = context
        self._targets = targets
        self._links = links
        self._now = now

    async def find(self, query: Query) -> list[Key]:
        """At most two of what ``query`` will match."""
        replaced = [key for key in self._replaced if key.type == query.type]
        wider = replace(query, count=query.count + len(replaced))
        page = await self._context.store.search(self._context.project, wider)
        there = [Key(match.type, match.id) for match in page.matches]
        found = [key for key in there if key not in replaced]
        found += [
            key
            for key, made in self._made.items()
            if key.type == query.type and all(matches(each, made) for each in query.filters)
        ]
        return found[:2]

    @cached_property
    def _replaced(self) -> set[Key]:
        return {t.key for t in self._targets if t.entry.request.method in ("PUT", "DELETE")}

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
        me = Key(self.type, self.id)
        sources = (other for other in self.others.values() if other.type == type_)
        return (source for source in sources if me in source._references(param))

    def _references(self, param: str) -> list[Key]:
        values = self.values.get(param, ())
        found = [value for value in values if isinstance(value, ReferenceValue)]
        return [Key(value.type, value.id) for value in found if value.id]
