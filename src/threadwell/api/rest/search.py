"""search by GET and by POST of a form (FHIR R4 §3.1.0.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from threadwell.api.asking import Asked
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.headers import is_lenient
from threadwell.api.negotiation import is_form, unsupported_media_type
from threadwell.api.page_links import Around, Params
from threadwell.api.params import parse_params
from threadwell.api.rest import elements
from threadwell.api.rest.bundles import bundle, bundled, found_entries
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import Issue, invalid, outcome
from threadwell.fhir.search.cursor import Cursor
from threadwell.fhir.search.query import Query, Total
from threadwell.stores.contract import Page
from threadwell.stores.naming import with_names

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


def _told(code: str, severity: str, text: str) -> bytes:
    """The entry of what there is to say beside the matches."""
    issue = {"severity": severity, "code": code, "details": {"text": text}}
    said = encode({"resourceType": "OperationOutcome", "issue": [issue]})
    return b'{"search":{"mode":"outcome"},"resource":%s}' % said


#: The entry of a page whose total was asked for, and would take too long to count.
_UNCOUNTED = _told(
    "too-costly",
    "warning",
    "The exact number would take too long to count: it is left out. Ask for _total=estimate, or"
    " for fewer",
)
#: The entry of a page whose total is no exact one, though nobody asked for an estimate.
_ESTIMATED = _told(
    "too-costly",
    "information",
    "The total is an estimate, as by _total=estimate: to count exactly would take too long",
)


async def search(context: Context, request: Request) -> Answer:
    """The page of matches that the query asks for, with what it includes."""
    if is_lenient(request.headers):
        return await _leniently(context, request, parse_params(request.query))
    asked = context.asking.of_url(request.type, request.compartment, request.query)
    return await _answer(context, request, asked)


async def search_by_form(context: Context, request: Request) -> Answer:
    """The same, with parameters in the body as well."""
    params = form_params(request)
    if is_lenient(request.headers):
        return await _leniently(context, request, params)
    return await _answer(
        context, request, context.asking.of(request.type, request.compartment, params)
    )


def form_params(request: Request) -> list[tuple[str, str]]:
    """The parameters of the URL, and behind them those of a form in the body."""
    if request.body and not is_form(request.headers):
        raise unsupported_media_type()
    try:
        form = request.body.decode()
    except UnicodeDecodeError:
        raise invalid("The form is not UTF-8") from None
    return [*parse_params(request.query), *parse_params(form)]


async def _leniently(context: Context, request: Request, params: Params) -> Answer:
    """The answer without those parameters that nothing can be searched by; it names them."""
    asked, ignored = context.asking.leniently(request.type, request.compartment, params)
    return await _answer(context, request, asked, ignored)


def _ignoring(names: Sequence[str]) -> bytes:
    """The entry that says which parameters were ignored (§3.1.1.1)."""
    told = ", ".join(name[:64] for name in names)
    issue = Issue("not-supported", f"Ignored, as nothing is searched by it: {told}", "", "warning")
    return b'{"search":{"mode":"outcome"},"resource":%s}' % encode(outcome([issue]))


async def _answer(
    context: Context, request: Request, asked: Asked, ignored: Sequence[str] = ()
) -> Answer:
    query = asked.query
    if asked.by_name:
        query = await with_names(context.view, context.project, query, context.packaged)
    page = await context.view.search(context.project, query)
    if page.cut:
        page = await _with_room(context, query, page)
    wanted = {query.type: query.elements} if query.elements else {}
    entries = await searchset(context, request, page, wanted)
    if ignored:
        entries.append(_ignoring(ignored))
    if (told := about_total(query, page)) is not None:
        entries.append(told)
    if query.after is None and not query.offset:
        links = asked.links.of_first(page.last if page.more else None)
    else:
        links = asked.links.serialised(_around(query, page))
    return bundle("searchset", entries, total=page.total, links=links)


def about_total(query: Query, page: Page) -> bytes | None:
    """The entry that says that the total is not what was asked for; ``None`` where it is."""
    if query.total is Total.ACCURATE:
        return _UNCOUNTED if page.total is None else None
    return _ESTIMATED if page.estimated and query.total is not Total.ESTIMATE else None


def _around(query: Query, page: Page) -> Around:
    return Around(
        query.offset,
        None if query.after is None else Cursor(query.after, query.back),
        page.first and Cursor(page.first),
        page.last and Cursor(page.last),
        page.more,
    )


async def _with_room(context: Context, query: Query, page: Page) -> Page:
    """A page of fewer matches, where not all that they include had room beside them."""
    total = page.total
    while page.cut and len(page.matches) > 1:
        # The total is known by now.
        fewer = replace(query, count=len(page.matches) // 2, total=Total.NONE)
        page = (await context.view.search(context.project, fewer))._replace(total=total)
    return page


async def searchset(
    context: Context, request: Request, page: Page, elements_of: Mapping[str, Sequence[str]]
) -> list[bytes]:
    """The entries of a page, of each match those elements that its type is to have (all, if none).

    Where there was no room for all that is included, the last entry says so.
    """
    if not (page.included or page.cut or elements_of):
        shown = await bundled(context, request, page.matches)
        return found_entries(context.fhir.encode(), page.matches, shown, b"match")
    shown = await bundled(context, request, [*page.matches, *page.included])
    if any(elements_of.values()):
        for at, match in enumerate(page.matches):
            if names := elements_of.get(match.type):
                (shown[at],) = await elements.subsets(shown[at : at + 1], names)
    base, matches = context.fhir.encode(), len(page.matches)
    entries = found_entries(base, page.matches, shown[:matches], b"match")
    if page.included:
        entries += found_entries(base, page.included, shown[matches:], b"include")
    return [*entries, _CUT] if page.cut else entries
