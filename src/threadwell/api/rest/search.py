"""search by GET and by POST of a form (FHIR R4 §3.1.0.12)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from operator import itemgetter
from urllib.parse import quote

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import is_form, unsupported_media_type
from threadwell.api.params import parse_params
from threadwell.api.rest import elements
from threadwell.api.rest.bundles import bundle, bundled, found_entry
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page

#: Text that stands for itself in a URL: most parameters, and checked faster than quoted.
_PLAIN = re.compile(r"[A-Za-z0-9:/,\-._~$]*")

Params = Sequence[tuple[str, str]]


async def search(context: Context, request: Request) -> Answer:
    """The page of matches that the query asks for, with what it includes."""
    return await _answer(context, request, parse_params(request.query))


async def search_by_form(context: Context, request: Request) -> Answer:
    """The same, with parameters in the body as well."""
    if request.body and not is_form(request.headers):
        raise unsupported_media_type()
    try:
        form = request.body.decode()
    except UnicodeDecodeError:
        raise invalid("The form is not UTF-8") from None
    return await _answer(context, request, [*parse_params(request.query), *parse_params(form)])


async def _answer(context: Context, request: Request, params: Params) -> Answer:
    query = parse_query(request.type, params, base_url=context.fhir, now=context.clock)
    page = await context.store.search(context.project, query)
    entries = await _entries(context, request, query, page)
    links = _links(f"{context.fhir}/{request.type}", params, query, more=page.more)
    return bundle("searchset", entries, total=page.total, links=links)


async def _entries(context: Context, request: Request, query: Query, page: Page) -> list[bytes]:
    found = [*page.matches, *page.included]
    shown = await bundled(context, request, found)
    matches = len(page.matches)
    if query.elements:
        shown[:matches] = [elements.subset(body, query.elements) for body in shown[:matches]]
    base = context.fhir.encode()
    return [
        found_entry(base, stored, body, b"match" if at < matches else b"include")
        for at, (stored, body) in enumerate(zip(found, shown, strict=True))
    ]


def _links(base: str, params: Params, query: Query, *, more: bool) -> Iterator[tuple[str, str]]:
    kept = [
        (name, f"{_quoted(name)}={_quoted(value)}")
        for name, value in params
        if name not in ("_count", "_offset")
    ]
    kept.append(("_count", f"_count={query.count}"))

    def url(offset: int) -> str:
        page = [("_offset", f"_offset={offset}")] if offset else []
        pairs = sorted([*kept, *page], key=itemgetter(0))
        return f"{base}?{'&'.join(text for _, text in pairs)}"

    first = url(0)
    yield "self", url(query.offset) if query.offset else first
    yield "first", first
    if more and query.count:  # a page of none would lead to itself for ever
        yield "next", url(query.offset + query.count)
    if query.offset:
        yield "previous", url(max(0, query.offset - query.count))


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=":/,-._~$")
