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
from threadwell.fhir.search.cursor import Cursor, write_cursor
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Place, Query
from threadwell.stores.contract import Page
from threadwell.stores.naming import with_names

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
    if any(name == "_totalMethod" for name, _ in params):
        # fhirpy's clients count by a parameter of another server.
        raise invalid("Unknown search parameter: _totalMethod. R4 has _total and _summary=count")
    asked = parse_query(request.type, params, bases=context.bases, now=context.clock)
    query = await with_names(context.store, context.project, asked)
    page = await context.store.search(context.project, query)
    entries = await _entries(context, request, query, page)
    links = _links(f"{context.fhir}/{request.type}", params, query, page)
    return bundle("searchset", entries, total=page.total, links=links)


async def _entries(context: Context, request: Request, query: Query, page: Page) -> list[bytes]:
    found = [*page.matches, *page.included]
    shown = await bundled(context, request, found)
    matches = len(page.matches)
    if query.elements:
        shown[:matches] = await elements.subsets(shown[:matches], query.elements)
    base = context.fhir.encode()
    return [
        found_entry(base, stored, body, b"match" if at < matches else b"include")
        for at, (stored, body) in enumerate(zip(found, shown, strict=True))
    ]


def _links(base: str, params: Params, query: Query, page: Page) -> Iterator[tuple[str, str]]:
    """Links to this page, the first, and those that lie before and behind it.

    Pages that follow go on from the last match, whatever is written meanwhile.
    """
    kept = [
        (name, f"{_quoted(name)}={_quoted(value)}")
        for name, value in params
        if name not in ("_count", "_offset", "_cursor")
    ]
    kept.append(("_count", f"_count={query.count}"))

    def url(name: str = "", value: int | str = "") -> str:
        place = [(name, f"{name}={value}")] if name else []
        pairs = sorted([*kept, *place], key=itemgetter(0))
        return f"{base}?{'&'.join(text for _, text in pairs)}"

    def beyond(place: Place, *, back: bool = False) -> str:
        return url("_cursor", write_cursor(Cursor(place, back)))

    first = url()
    if query.after is not None:
        yield "self", beyond(query.after, back=query.back)
    else:
        yield "self", url("_offset", query.offset) if query.offset else first
    yield "first", first
    # Before the page that one came back from there is always one.
    if page.last is not None and (page.more or query.back):
        yield "next", beyond(page.last)
    if query.offset:
        yield "previous", url("_offset", max(0, query.offset - query.count))
    elif page.first is not None and (page.more if query.back else query.after is not None):
        yield "previous", beyond(page.first, back=True)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=":/,-._~$")
