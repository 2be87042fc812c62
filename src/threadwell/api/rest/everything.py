"""``$everything`` of a Patient or an Encounter (FHIR R4 Patient §8.1.17, Encounter §8.11.14)."""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.params import parse_params
from threadwell.api.rest.bundles import bundle, bundled, found_entry
from threadwell.api.rest.read import existing
from threadwell.fhir.definitions import load
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.search.query import Query, ReferenceFilter, ReferenceMatch
from threadwell.stores.contract import Key, Stored

#: The resource types that R4 defines the operation for.
TYPES = frozenset({"Patient", "Encounter"})
#: An answer of more resources than this is refused; searches can page through them.
MAX_RESOURCES = 10_000


async def everything(context: Context, request: Request) -> Answer:
    """The resource and all of its compartment, as a searchset; ``_type`` limits the types."""
    wanted = _types(request.query)
    start = existing(await context.store.read(context.project, request.type, request.id))
    found = {Key(start.type, start.id): start}
    compartment: dict[str, list[Any]] = load("compartments")[request.type]
    for type_, params in compartment.items():
        if wanted and type_ not in wanted:
            continue
        for param in params:
            for stored in await _referring(context, type_, param, start):
                found.setdefault(Key(stored.type, stored.id), stored)
            if len(found) > MAX_RESOURCES:
                raise _too_costly()
    versions = list(found.values())
    shown = await bundled(context, request, versions)
    base = context.fhir.encode()
    entries = [
        found_entry(base, stored, body, b"match")
        for stored, body in zip(versions, shown, strict=True)
    ]
    return bundle("searchset", entries, total=len(entries))


async def _referring(context: Context, type_: str, param: str, to: Stored) -> list[Stored]:
    match = ReferenceFilter(param, (ReferenceMatch(to.type, to.id, ""),))
    found: list[Stored] = []
    while True:
        query = Query(type_, (match,), count=1000, offset=len(found))
        page = await context.store.search(context.project, query)
        found += page.matches
        if not page.more:
            return found
        if len(found) > MAX_RESOURCES:
            raise _too_costly()


def _types(query: str) -> set[str]:
    wanted: set[str] = set()
    for name, value in parse_params(query):
        if name != "_type":
            raise invalid(f"Unknown parameter of $everything: {name}")
        wanted.update(value.split(","))
    return wanted


def _too_costly() -> FhirError:
    text = f"More than {MAX_RESOURCES} resources: ask for fewer with _type, or search"
    return FhirError(400, [Issue("too-costly", text)])
