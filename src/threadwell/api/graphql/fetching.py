"""What a query reads of the store, through the caller's view, and how much of it.

Reads of one level are one read, and the lists of what refers to each resource of a level are one
search. What was read is remembered while the query is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from threadwell.api.answers import bodies
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.graphql.schema import REFERENCE, parameters
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.field import field
from threadwell.fhir.search.parse import MAX_COUNT, parse_query
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.fhir.search.terms import is_named
from threadwell.fhir.search.values import ReferenceValue
from threadwell.stores.aside import Pauses
from threadwell.stores.contract import Key, Page, Stored
from threadwell.stores.naming import with_names

#: Searches that one query may make, and resources that it may read.
MAX_SEARCHES = 200
MAX_RESOURCES = 10_000
#: Resources that are read, or searched for, by one question to the store.
_TOGETHER = 500


class Found(NamedTuple):
    """A page of a search, and what is on it."""

    query: Query
    page: Page
    resources: list[Resource]


class Fetching:
    """What one query reads; raises ``FhirError`` 400 where it is too much."""

    def __init__(self, context: Context, request: Request) -> None:
        self.context = context
        self._request = request
        self._read: dict[Key, Resource | None] = {}
        self._searches = self._resources = self._bytes = 0
        self._pauses = Pauses()

    async def resources(self, keys: Iterable[Key]) -> Mapping[Key, Resource | None]:
        """The current version of each, ``None`` for what is not there or not to be seen."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._read]
        for at in range(0, len(wanted), _TOGETHER):
            some = wanted[at : at + _TOGETHER]
            there = await self.context.view.read_many(self.context.project, some)
            living = [one for one in there.values() if not one.deleted]
            shown = await self._shown(living)
            self._read.update(dict.fromkeys(some))
            for stored, resource in zip(living, shown, strict=True):
                self._read[Key(stored.type, stored.id)] = resource
        return self._read

    def query(self, type_: str, arguments: Mapping[str, Any]) -> Query:
        """The query that the arguments of a field say; raises ``FhirError`` 400."""
        names = parameters(type_)
        params = [
            (names.get(name, name), str(value))
            for name, value in arguments.items()
            if value is not None and name != REFERENCE
        ]
        context = self.context
        return parse_query(
            type_, params, bases=context.bases, now=context.clock, most=context.max_page
        )

    async def search(self, query: Query) -> Found:
        """The page of a query."""
        self._searches += 1
        if self._searches > MAX_SEARCHES:
            raise _too_much(f"A query makes at most {MAX_SEARCHES} searches")
        context = self.context
        asked = await with_names(context.view, context.project, query, context.packaged)
        page = await context.view.search(context.project, asked)
        return Found(query, page, await self._shown(page.matches))

    async def referring(
        self, query: Query, param: str, targets: Sequence[Key]
    ) -> dict[Key, list[Resource]]:
        """For each of the resources the page of those that refer to it by ``param``.

        They are found together, as long as there is room for all on a page. Who has not all that
        is asked for by then is searched for alone.
        """
        found: dict[Key, list[Resource]] = {}
        unique = list(dict.fromkeys(targets))
        if not query.count:
            return {key: [] for key in unique}
        for at in range(0, len(unique), _TOGETHER):
            some = unique[at : at + _TOGETHER]
            found |= await self._together(query, param, some)
        return found

    async def _together(
        self, query: Query, param: str, targets: Sequence[Key]
    ) -> dict[Key, list[Resource]]:
        asked = query.offset + query.count
        if len(targets) == 1 or is_named(field(query.type, param)):
            # What refers by a name does not tell by itself to whom.
            each = [(key, await self.search(_of(query, param, (key,)))) for key in targets]
            return {key: alone.resources for key, alone in each}
        count = min(asked * len(targets), MAX_COUNT)
        all_ = await self.search(replace(_of(query, param, targets), count=count, offset=0))
        found: dict[Key, list[Resource]] = {key: [] for key in targets}
        only = frozenset([param])
        for resource in all_.resources:
            await self._pauses.pause()
            values = extract(resource, self.context.bases, only).get(param, ())
            named = [Key(v.type, v.id) for v in values if isinstance(v, ReferenceValue)]
            for key in dict.fromkeys(named):
                if key in found:
                    found[key].append(resource)
        for key, resources in found.items():
            if all_.page.more and len(resources) < asked:
                found[key] = (await self.search(_of(query, param, (key,)))).resources
            else:
                found[key] = resources[query.offset : asked]
        return found

    async def _shown(self, versions: Sequence[Stored]) -> list[Resource]:
        self._resources += len(versions)
        self._bytes += sum([len(version.body) for version in versions])
        if self._resources > MAX_RESOURCES:
            raise _too_much(f"A query reads at most {MAX_RESOURCES:,} resources")
        if self._bytes > self.context.max_page:
            raise _too_much(f"A query reads at most {self.context.max_page:,} bytes")
        found = []
        for body in await bodies(self.context, self._request, versions):
            found.append(decode(body))
            await self._pauses.pause()
        return found


def _of(query: Query, param: str, targets: Sequence[Key]) -> Query:
    filters = (*query.filters, _referring(query.type, param, targets))
    return replace(query, filters=filters)


def _referring(type_: str, param: str, targets: Sequence[Key]) -> ReferenceFilter:
    matches = tuple([ReferenceMatch(key.type, key.id, "") for key in targets])
    return ReferenceFilter(param, matches, named=is_named(field(type_, param)))


def _too_much(text: str) -> FhirError:
    return FhirError(400, [Issue("too-costly", text)])
