"""search by GET and by POST of a form (FHIR R4 §3.1.0.12)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import quote

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import is_form, unsupported_media_type
from threadwell.api.params import parse_params
from threadwell.api.rest import elements
from threadwell.api.rest.bundles import bundle, bundled, found_entries
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.compartments import COMPARTMENT
from threadwell.fhir.search.cursor import Cursor, write_cursor
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query, Total
from threadwell.stores.contract import Page
from threadwell.stores.naming import with_names

#: Text that stands for itself in a URL: most parameters, and checked faster than quoted.
_PLAIN = re.compile(r"[A-Za-z0-9:/,\-._~$]*")

Params = Sequence[tuple[str, str]]

#: The entry of a page that lacks some of what is included.
_CUT = b'{"search":{"mode":"outcome"},"resource":%s}' % encode(
    {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "incomplete",
                "details": {"text": "There was no room for all that this includes: search for it"},
            }
        ],
    }
)


async def search(context: Context, request: Request) -> Answer:
    """The page of matches that the query asks for, with what it includes."""
    return await _answer(context, request, parse_params(request.query))


async def search_by_form(context: Context, request: Request) -> Answer:
    """The same, with parameters in the body as well."""
    return await _answer(context, request, form_params(request))


def form_params(request: Request) -> list[tuple[str, str]]:
    """The parameters of the URL, and behind them those of a form in the body."""
    if request.body and not is_form(request.headers):
        raise unsupported_media_type()
    try:
        form = request.body.decode()
    except UnicodeDecodeError:
        raise invalid("The form is not UTF-8") from None
    return [*parse_params(request.query), *parse_params(form)]


async def _answer(context: Context, request: Request, params: Params) -> Answer:
    check_names(params)
    base = f"{context.fhir}/{request.type}"
    within: Params = ()
    if request.compartment:
        base = f"{context.fhir}/{request.compartment}/{request.type}"
        within = [(COMPARTMENT, request.compartment)]
    asked = parse_query(
        request.type,
        [*within, *params],
        bases=context.bases,
        now=context.clock,
        most=context.max_page,
    )
    query = await with_names(context.view, context.project, asked)
    page = await found_page(context, query)
    entries = await searchset(context, request, page, {query.type: query.elements})
    around = Around(
        query.count,
        query.offset,
        None if query.after is None else Cursor(query.after, query.back),
        page.first and Cursor(page.first),
        page.last and Cursor(page.last),
        page.more,
    )
    links = page_links(base, params, around)
    return bundle("searchset", entries, total=page.total, links=links)


def check_names(params: Params) -> None:
    """Raise 400 for a parameter of other servers that clients ask for."""
    for name, _ in params:
        if name == "_totalMethod":
            # fhirpy's clients count by a parameter of another server.
            told = "Unknown search parameter: _totalMethod. R4 has _total and _summary=count"
            raise invalid(told)


async def found_page(context: Context, query: Query) -> Page:
    """The page; one of fewer matches where not all that they include has room beside them."""
    page = await context.view.search(context.project, query)
    while page.cut and len(page.matches) > 1:
        # The total is known by now.
        fewer = replace(query, count=len(page.matches) // 2, total=Total.NONE)
        total = page.total
        page = (await context.view.search(context.project, fewer))._replace(total=total)
    return page


async def searchset(
    context: Context, request: Request, page: Page, elements_of: Mapping[str, Sequence[str]]
) -> list[bytes]:
    """The entries of a page, of each match those elements that its type is to have (all, if none).

    Where there was no room for all that is included, the last entry says so.
    """
    found = [*page.matches, *page.included]
    shown = await bundled(context, request, found)
    if any(elements_of.values()):
        for at, match in enumerate(page.matches):
            if names := elements_of.get(match.type):
                (shown[at],) = await elements.subsets(shown[at : at + 1], names)
    base, matches = context.fhir.encode(), len(page.matches)
    entries = found_entries(base, page.matches, shown[:matches], b"match")
    if page.included:
        entries += found_entries(base, page.included, shown[matches:], b"include")
    return [*entries, _CUT] if page.cut else entries


class Around(NamedTuple):
    """What links between pages are made of: the size of a page and how many were skipped,
    where it ``begins`` if it goes on from another, where its matches stand, and whether there are
    more in its direction.
    """

    size: int
    offset: int
    begins: Cursor | None
    first: Cursor | None
    last: Cursor | None
    more: bool


def page_links(base: str, params: Params, around: Around) -> Iterator[tuple[str, str]]:
    """Links to this page, the first, and those that lie before and behind it.

    Pages that follow go on from the last match, whatever is written meanwhile.
    """
    kept = [
        (name, f"{_quoted(name)}={_quoted(value)}")
        for name, value in params
        if name not in ("_count", "_offset", "_cursor")
    ]
    kept.append(("_count", f"_count={around.size}"))
    begins, offset = around.begins, around.offset

    def url(name: str = "", value: int | str = "") -> str:
        place = [(name, f"{name}={value}")] if name else []
        pairs = sorted([*kept, *place], key=itemgetter(0))
        return f"{base}?{'&'.join(text for _, text in pairs)}"

    def beyond(cursor: Cursor, *, back: bool = False) -> str:
        return url("_cursor", write_cursor(cursor._replace(back=back)))

    first = url()
    if begins is not None:
        yield "self", beyond(begins, back=begins.back)
    else:
        yield "self", url("_offset", offset) if offset else first
    yield "first", first
    is_back = begins is not None and begins.back
    # Before the page that one came back from there is always one.
    if around.last is not None and (around.more or is_back):
        yield "next", beyond(around.last)
    if offset:
        yield "previous", url("_offset", max(0, offset - around.size))
    elif around.first is not None and (around.more if is_back else begins is not None):
        yield "previous", beyond(around.first, back=True)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=":/,-._~$")
