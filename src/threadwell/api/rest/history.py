"""history of one resource, of a type and of the system (FHIR R4 §3.1.0.13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from threadwell.api.context import Context
from threadwell.api.etags import etag
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, failure, success, tracing
from threadwell.api.params import parse_params
from threadwell.api.rest import elements
from threadwell.api.rest.bundles import bundle, bundled
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import gone, invalid, not_found
from threadwell.fhir.search.parse import DEFAULT_COUNT, MAX_COUNT, natural
from threadwell.fhir.search.times import query_range
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import ALWAYS, Change, Span, Stored
from threadwell.stores.including import bounded

_PAGED = ("_count", "_offset")
_KNOWN = frozenset({*_PAGED, "_since", "_at", "_elements", "_fields", "_summary"})
#: Versions that are looked at once for their time.
_AT_ONCE = 100
_EVER = 2**63
_CURSOR = "_cursor"
#: Of the history of many resources.
_OF_MANY = frozenset({"_count", "_since", "_at", _CURSOR})


async def history(context: Context, request: Request) -> Answer:
    """The versions, newest first; a deletion is an entry without a resource. 404 if never there.

    ``_since`` and ``_at`` choose versions by their time, ``_elements`` and ``_summary`` parts of
    each.
    """
    params = parse_params(request.query)
    given = dict(params)
    if unknown := given.keys() - _KNOWN:
        raise invalid(f"Unknown history parameter: {min(unknown)[:64]}")
    count = min(natural("_count", given.get("_count", str(DEFAULT_COUNT))), MAX_COUNT)
    offset = natural("_offset", given.get("_offset", "0"))
    names = elements.wanted(request.type, params)
    if given.get("_summary") == "count":
        count = 0
    when = _When.of(given)
    find = _chosen if when else _page
    page = _bounded(await find(context, request, count, offset, when), context.max_page)
    entries = await _entries(context, request, page, names)
    kept = [pair for pair in params if pair[0] not in _PAGED]
    base = f"{context.fhir}/{request.type}/{request.id}/_history"

    def url(at: int) -> str:
        paged = [("_count", str(count)), *([("_offset", str(at))] if at else [])]
        return f"{base}?{urlencode([*kept, *paged], safe=',:')}"

    links = [("self", url(offset))]
    if page.versions and offset + len(page.versions) < page.total:
        links.append(("next", url(offset + len(page.versions))))
    if offset:
        links.append(("previous", url(max(0, offset - count))))
    told = encode([{"relation": relation, "url": url} for relation, url in links])
    return bundle("history", entries, total=page.total, links=told)


async def history_of_many(context: Context, request: Request) -> Answer:
    """The versions of all resources of a type, or of all there are, the last commit first.

    ``_since`` and ``_at`` choose by time. A page goes on before the last change of the one before
    it, so what is committed meanwhile is neither skipped nor told twice.
    """
    params = parse_params(request.query)
    given = dict(params)
    if unknown := given.keys() - _OF_MANY:
        raise invalid(f"Unknown history parameter: {min(unknown)[:64]}")
    count = min(natural("_count", given.get("_count", str(DEFAULT_COUNT))), MAX_COUNT)
    before = _position(given.get(_CURSOR, ""))
    types = (request.type,) if request.type else ()
    span = _When.of(given) or _When(-_EVER, -_EVER, _EVER)
    found: list[Change] = []
    size = 0
    # One more tells whether there is another page.
    while len(found) <= count and size < context.max_page:
        left = min(count + 1 - len(found), _AT_ONCE)
        some = await context.view.recent(context.project, types, before, left, span.in_bounds())
        found += some
        size += sum([len(one.stored.body) for one in some])
        if len(some) < left:
            break
        before = some[-1].position
    is_cut = len(found) > count or size >= context.max_page
    shown = bounded([one.stored for one in found[:count]], context.max_page)
    page = _Page(shown, [one.place.number for one in found[: len(shown)]], 0)
    entries = await _entries(context, request, page, ())
    kept = [pair for pair in params if pair[0] not in ("_count", _CURSOR)]
    base = f"{context.fhir}/{request.path}"

    def url(*place: tuple[str, str]) -> str:
        return f"{base}?{urlencode([*kept, ('_count', str(count)), *place], safe=',:')}"

    links = [("self", url(*[(_CURSOR, given[_CURSOR])] if _CURSOR in given else []))]
    if shown and is_cut:
        links.append(("next", url((_CURSOR, str(found[len(shown) - 1].position)))))
    told = encode([{"relation": relation, "url": url} for relation, url in links])
    return bundle("history", entries, links=told)


def _position(cursor: str) -> int:
    """Before which change a page begins: before one that is to come, where nothing is said."""
    if not cursor:
        return _EVER >> 1
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise invalid("_cursor is not from a link of this history")
    return int(cursor)


class _Page(NamedTuple):
    """``numbers`` count the versions of the resource from 1, the oldest."""

    versions: Sequence[Stored]
    numbers: Sequence[int]
    total: int


def _bounded(page: _Page, most: int) -> _Page:
    """The page up to the version by which its bodies reach ``most`` bytes."""
    versions = bounded(page.versions, most)
    return page._replace(versions=versions, numbers=page.numbers[: len(versions)])


class _When(NamedTuple):
    """Versions made at ``since`` or later, and current at some time from ``low`` until before
    ``high``; in microseconds since 1970.
    """

    since: int
    low: int
    high: int

    @classmethod
    def of(cls, given: Mapping[str, str]) -> _When | None:
        """The times that the parameters give; ``None`` where they give none."""
        if given.keys().isdisjoint({"_since", "_at"}):
            return None
        since, _ = _range(given, "_since")
        return cls(since, *_range(given, "_at"))

    def in_bounds(self) -> Span:
        """The same as a store takes it."""
        most = ALWAYS.high
        return Span(*(max(-most, min(one, most)) for one in self))

    def takes(self, version: Stored, until: int) -> bool:
        """``until`` when was it current?"""
        made = version.updated * 1000
        return made >= self.since and made < self.high and until > self.low

    def is_over(self, version: Stored) -> bool:
        """Is whatever is older out of the question?"""
        return version.updated * 1000 <= max(self.since - 1, self.low)


def _range(given: Mapping[str, str], name: str) -> tuple[int, int]:
    if name not in given:
        return -_EVER, _EVER
    try:
        return query_range(given[name])
    except ValueError:
        raise invalid(f"{name} must be a date or a time") from None


async def _page(
    context: Context, request: Request, count: int, offset: int, _: _When | None
) -> _Page:
    versions, total = await context.view.history(
        context.project, request.type, request.id, count, offset
    )
    if not total:
        raise not_found()
    first = total - offset
    return _Page(versions, range(first, first - len(versions), -1), total)


async def _chosen(
    context: Context, request: Request, count: int, offset: int, when: _When | None
) -> _Page:
    found, numbers, chosen = [], [], 0
    at, until = 0, _EVER
    while True:
        page = await _page(context, request, _AT_ONCE, at, None)
        for version, number in zip(page.versions, page.numbers, strict=True):
            if when is None or when.takes(version, until):
                if offset <= chosen < offset + count:
                    found.append(version)
                    numbers.append(number)
                chosen += 1
            until = version.updated * 1000
        at += len(page.versions)
        is_over = when is not None and page.versions and when.is_over(page.versions[-1])
        if at >= page.total or not page.versions or is_over:
            return _Page(found, numbers, chosen)


async def _entries(
    context: Context, request: Request, page: _Page, names: Sequence[str]
) -> list[bytes]:
    shown = await bundled(context, request, page.versions)
    if names:
        shown = await elements.subsets(shown, names)
    marks = tracing(request.headers)
    ok, deleted = encode(success(OK, marks)), encode(failure(gone(), marks))
    return [
        _entry(context, version, body, deleted if version.deleted else ok, number)
        for version, body, number in zip(page.versions, shown, page.numbers, strict=True)
    ]


def _entry(context: Context, version: Stored, body: bytes, outcome: bytes, number: int) -> bytes:
    path = f"{version.type}/{version.id}"
    method = "DELETE" if version.deleted else "POST" if number == 1 else "PUT"
    request = {"method": method, "url": version.type if method == "POST" else path}
    response = {
        "status": "410" if version.deleted else "200",
        "etag": etag(version.version_id).decode(),
        "lastModified": instant(version.updated),
    }
    return b'{"fullUrl":"%s",%s"request":%s,"response":%s,"outcome":%s}}' % (
        f"{context.fhir}/{path}".encode(),
        b'"resource":%s,' % body if body else b"",
        encode(request),
        encode(response)[:-1],
        outcome,
    )
