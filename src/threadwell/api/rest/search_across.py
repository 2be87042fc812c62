"""search of several types: of the whole server, and of a compartment (FHIR R4 §3.1.0.12, §2.7)."""

from __future__ import annotations

from dataclasses import replace

from threadwell.api.asking import check_names
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.page_links import Around, PageLinks, Params
from threadwell.api.params import parse_params
from threadwell.api.rest.bundles import bundle
from threadwell.api.rest.search import about_total, form_params, searchset
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.compartments import COMPARTMENT, member_types
from threadwell.fhir.search.cursor import Cursor
from threadwell.fhir.search.parse import parse_several
from threadwell.stores.across import Across, Spot, Spread, search_across
from threadwell.stores.contract import Page
from threadwell.stores.naming import with_names


async def search(context: Context, request: Request) -> Answer:
    """The page of matches of all types, or of those in ``_type``, with what it includes."""
    return await _answer(context, request, parse_params(request.query))


async def search_by_form(context: Context, request: Request) -> Answer:
    """The same, with parameters in the body as well."""
    return await _answer(context, request, form_params(request))


async def _answer(context: Context, request: Request, params: Params) -> Answer:
    check_names(params)
    others = [pair for pair in params if pair[0] != "_type"]
    base = context.fhir
    of_compartment = RESOURCE_TYPES
    if request.compartment:
        base = f"{context.fhir}/{request.compartment}/*"
        others.insert(0, (COMPARTMENT, request.compartment))
        of_compartment = frozenset(member_types(request.compartment.partition("/")[0]))
    types = sorted(_types(params) & of_compartment)
    parsed = parse_several(types, others, bases=context.bases, now=context.clock)
    queries = tuple(
        [
            replace(
                await with_names(context.view, context.project, one, context.packaged),
                most=context.max_page,
            )
            for one in parsed.queries
        ]
    )
    cursor = parsed.cursor
    after = None if cursor is None else Spot(cursor.at, cursor.place)
    across = Across(queries, after, cursor is not None and cursor.back)
    spread = await search_across(context.view, context.project, across)
    while spread.cut and len(spread.matches) > 1:
        fewer = [replace(q, count=len(spread.matches) // 2) for q in queries]
        total, estimated = spread.total, spread.estimated
        spread = await search_across(
            context.view, context.project, replace(across, queries=tuple(fewer))
        )
        spread.total, spread.estimated = total, estimated
    page = Page(
        *(spread.matches, spread.included, spread.total, spread.more),
        cut=spread.cut,
        estimated=spread.estimated,
    )
    elements_of = {query.type: query.elements for query in queries}
    entries = await searchset(context, request, page, elements_of)
    if queries and (about := about_total(queries[0], page)) is not None:
        entries.append(about)
    links = PageLinks(base, params, queries[0].count if queries else 0)
    told = links.serialised(_around(cursor, spread))
    return bundle("searchset", entries, total=spread.total, links=told)


def _types(params: Params) -> frozenset[str]:
    named = [type_ for name, value in params if name == "_type" for type_ in value.split(",")]
    if unknown := set(named) - RESOURCE_TYPES:
        raise invalid(f"Unknown resource type in _type: {min(unknown)[:64]}")
    return frozenset(named) or RESOURCE_TYPES


def _around(begins: Cursor | None, spread: Spread) -> Around:
    first, last = spread.first, spread.last
    return Around(
        0,
        begins,
        first and Cursor(first.place, at=first.at),
        last and Cursor(last.place, at=last.at),
        spread.more,
    )
