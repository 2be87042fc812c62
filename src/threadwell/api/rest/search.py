"""search by GET and by POST of a form (FHIR R4 §3.1.0.12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from threadwell.api.answers import bodies
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.params import parse_params
from threadwell.api.rest import elements
from threadwell.api.rest.accept import unsupported_media_type
from threadwell.api.rest.bundles import bundle
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page, Stored

Params = Sequence[tuple[str, str]]


async def search(context: Context, request: Request) -> Answer:
    """The page of matches that the query asks for, with what it includes."""
    return await _answer(context, request, parse_params(request.query))


async def search_by_form(context: Context, request: Request) -> Answer:
    """The same, with parameters in the body as well."""
    content_type = request.headers.get(b"content-type", b"")
    if request.body and b"x-www-form-urlencoded" not in content_type:
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
    shown = await bodies(context, request, found)
    matches = len(page.matches)
    if query.elements:
        shown[:matches] = [elements.subset(body, query.elements) for body in shown[:matches]]
    base = context.fhir.encode()
    return [
        entry(base, stored, body, b"match" if at < matches else b"include")
        for at, (stored, body) in enumerate(zip(found, shown, strict=True))
    ]


def entry(base: bytes, stored: Stored, body: bytes, mode: bytes) -> bytes:
    """The serialised entry of a searchset."""
    return b'{"fullUrl":"%s/%s/%s","search":{"mode":"%s"},"resource":%s}' % (
        base,
        stored.type.encode(),
        stored.id.encode(),
        mode,
        body,
    )


def _links(base: str, params: Params, query: Query, *, more: bool) -> Iterator[tuple[str, str]]:
    kept = [pair for pair in params if pair[0] not in ("_count", "_offset")]

    def url(offset: int) -> str:
        page = [("_count", str(query.count))]
        if offset:
            page.append(("_offset", str(offset)))
        pairs = sorted([*page, *kept], key=lambda pair: pair[0])
        text = "&".join(f"{quote(name, safe=':._-')}={_quoted(value)}" for name, value in pairs)
        return f"{base}?{text}"

    yield "self", url(query.offset)
    yield "first", url(0)
    if more:
        yield "next", url(query.offset + query.count)
    if query.offset:
        yield "previous", url(max(0, query.offset - query.count))


def _quoted(value: str) -> str:
    return quote(value, safe=":/,-._~$")
