"""``$everything`` of a Patient, of all Patients or of an Encounter.

FHIR R4 Patient §8.1.17.2, Encounter §8.11.13.1: the resource, all of its compartment, and what
these refer to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.page_links import Around, PageLinks
from threadwell.api.rest.belonging import belonging
from threadwell.api.rest.bundles import bundle
from threadwell.api.rest.parameters import parse_parameters
from threadwell.api.rest.read import existing
from threadwell.api.rest.search import searchset
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.compartments import Compartment, compartment_filter, member_types
from threadwell.fhir.search.cursor import Cursor, read_cursor
from threadwell.fhir.search.parse import natural, parse_query
from threadwell.fhir.search.query import Filter, IdFilter, Query
from threadwell.fhir.search.times import query_range
from threadwell.stores.across import Across, Spot, count_across, search_across
from threadwell.stores.contract import Key, Page, Stored
from threadwell.stores.natural import NATURAL

#: The resource types that R4 defines the operation for, and its parameters there.
TYPES = {
    "Patient": ("start", "end", "_since", "_type", "_count", "_offset", "_cursor"),
    "Encounter": ("_since", "_type", "_count", "_offset", "_cursor"),
}
#: Those of which all may be asked for at once.
OF_ALL = frozenset({"Patient"})
#: A page has no more resources of the compartment than this, with or without ``_count``.
MAX_RESOURCES = 10_000
#: Of all patients, how many resources are looked at at once for whether they belong to one.
_AT_ONCE = 200

_ID = r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})"


async def everything(context: Context, request: Request) -> Answer:
    """A searchset of the compartment, and with it (``include``) what this page of it refers to.

    ``start`` and ``end`` are about when something happened; what has no such time is there in any
    case. ``_count`` makes pages, and so does what has no room on one.
    """
    asked = await _asked(request)
    if request.id:
        existing(await context.view.read(context.project, request.type, request.id))
    queries = tuple(_queries(context, asked, request.type, request.id))
    cursor = asked.cursor
    if cursor is not None and cursor.at >= len(queries):
        raise invalid("_cursor is not from a link of this operation")
    across = Across(
        queries,
        None if cursor is None else Spot(cursor.at, cursor.place),
        cursor is not None and cursor.back,
    )
    if asked.offset and cursor is None:
        across = await _skipped(context, across, request, asked.offset)
        after = across.after
        cursor = after and Cursor(after.place, at=after.at)
    found = await _found(context, across, request, asked.count)
    found, included, cut = await _with_referred(context, asked, request.type, found, across.back)
    total = await _total(context, request, across, found)
    page = Page([match for match, _ in found.matches], included, total, found.more, cut=cut)
    entries = await searchset(context, request, page, {})
    ends = [Cursor(spot.place, at=spot.at) for _, spot in found.matches]
    first, last = (ends[0], ends[-1]) if ends else (None, None)
    around = Around(0, cursor, first, last, found.more)
    links = PageLinks(f"{context.fhir}/{request.path}", asked.kept, asked.count)
    return bundle("searchset", entries, total=total, links=links.serialised(around))


@dataclass(frozen=True, slots=True)
class _Asked:
    """``filters`` are the search parameters of every resource, ``dates`` those of its natural
    time; ``kept`` is what a link to another page repeats.
    """

    types: frozenset[str]
    filters: tuple[tuple[str, str], ...]
    dates: tuple[str, ...]
    count: int
    offset: int
    cursor: Cursor | None
    kept: tuple[tuple[str, str], ...]

    def takes(self, type_: str) -> bool:
        return not self.types or type_ in self.types


async def _asked(request: Request) -> _Asked:
    pairs = await parse_parameters(request, *TYPES[request.type])
    types: set[str] = set()
    filters: list[tuple[str, str]] = []
    dates: list[str] = []
    count, offset, cursor = MAX_RESOURCES, 0, None
    for name, value in pairs:
        match name:
            case "_type":
                types.update(value.split(","))
            case "_count":
                count = min(natural(name, value), MAX_RESOURCES)
            case "_offset":
                offset = min(natural(name, value), MAX_RESOURCES)
            case "_cursor":
                cursor = read_cursor(request.type, (), value)
            case _:
                _check_date(name, value)
                if name == "_since":
                    filters.append(("_lastUpdated", f"ge{value}"))
                else:
                    dates.append(f"ge{value}" if name == "start" else f"le{value}")
    if unknown := types - RESOURCE_TYPES:
        raise invalid(f"Unknown resource type in _type: {min(unknown)[:64]}")
    kept = tuple(pair for pair in pairs if pair[0] not in ("_count", "_offset", "_cursor"))
    return _Asked(frozenset(types), tuple(filters), tuple(dates), count, offset, cursor, kept)


def _check_date(name: str, value: str) -> None:
    try:
        query_range(value)
    except ValueError:
        raise invalid(f"{name} must be a date") from None


def _queries(context: Context, asked: _Asked, of: str, id_: str) -> Iterator[Query]:
    """What finds the compartment, or all that may belong to one: the resource itself, then type by
    type.
    """
    for type_ in (of, *[one for one in member_types(of) if one != of]):
        if not asked.takes(type_):
            continue
        for when in _times(asked, type_):
            params = [*asked.filters, *when]
            filters = parse_query(type_, params, bases=context.bases, now=context.clock).filters
            for mine in _memberships(type_, of, id_):
                yield Query(
                    type_, (*mine, *filters), count=asked.count, most=context.max_page, placed=True
                )


def _memberships(type_: str, of: str, id_: str) -> Iterator[tuple[Filter, ...]]:
    if not id_:
        yield ()
        return
    belongs = compartment_filter(type_, [Compartment(of, id_)])
    if type_ == of:
        yield (IdFilter((id_,)),)
        yield (belongs, IdFilter((id_,), negate=True))
    else:
        yield (belongs,)


def _times(asked: _Asked, type_: str) -> Iterator[tuple[tuple[str, str], ...]]:
    time = NATURAL.get(type_)
    if time is None or not asked.dates:
        yield ()
        return
    yield tuple((time, date) for date in asked.dates)
    yield ((f"{time}:missing", "true"),)


class _Found(NamedTuple):
    """Matches with where they stand, and whether there are more in the page's direction."""

    matches: list[tuple[Stored, Spot]]
    more: bool


async def _found(context: Context, across: Across, request: Request, count: int) -> _Found:
    if not across.queries or not count:
        return _Found([], more=False)
    if request.id:
        spread = await search_across(context.view, context.project, across)
        return _Found(list(zip(spread.matches, spread.spots, strict=True)), spread.more)
    return await _of_all(context, across, request.type, count)


async def _skipped(context: Context, across: Across, request: Request, offset: int) -> Across:
    """The search that goes on behind so many matches, as Medplum's clients ask for it."""
    while offset:
        fewer = replace(across, queries=tuple([replace(q, count=offset) for q in across.queries]))
        found = await _found(context, fewer, request, offset)
        if not found.matches:
            break
        offset -= len(found.matches)
        across = replace(across, after=found.matches[-1][1])
    return across


async def _of_all(context: Context, across: Across, of: str, count: int) -> _Found:
    """Those that belong to any: all that there are, but for what belongs to none."""
    found: list[tuple[Stored, Spot]] = []
    left = context.max_page
    more = True
    while more and len(found) < count and left > 0:
        size = min(count - len(found), _AT_ONCE)
        queries = tuple([replace(q, count=size, most=left) for q in across.queries])
        spread = await search_across(
            context.view, context.project, replace(across, queries=queries)
        )
        more = spread.more
        belong = await belonging(context, of, spread.matches)
        part = [
            (match, spot)
            for match, spot in zip(spread.matches, spread.spots, strict=True)
            if Key(match.type, match.id) in belong
        ]
        found = [*part, *found] if across.back else [*found, *part]
        left -= sum([len(match.body) for match in spread.matches])
        across = replace(across, after=spread.first if across.back else spread.last)
    return _Found(found, more)


async def _total(context: Context, request: Request, across: Across, found: _Found) -> int | None:
    """How many there are in all; of all patients only where the page has all of them."""
    if across.after is None and not found.more and across.queries and across.queries[0].count:
        return len(found.matches)
    if not request.id:
        return None
    return (await count_across(context.view, context.project, across.queries))[0]


async def _with_referred(
    context: Context, asked: _Asked, of: str, found: _Found, back: bool
) -> tuple[_Found, list[Stored], bool]:
    """The page with what it refers to, cut to those matches beside which that has room; whether
    there is none even beside a single one.
    """
    while True:
        page = [match for match, _ in found.matches]
        included, cut = await _referred(context, asked, of, page)
        if not cut or len(page) < 2:
            return found, included, cut
        half = len(page) // 2
        found = _Found(found.matches[half:] if back else found.matches[:half], more=True)


async def _referred(
    context: Context, asked: _Asked, type_: str, page: Sequence[Stored]
) -> tuple[list[Stored], bool]:
    """What the page refers to and does not hold, and whether that is not all for want of room.

    Of a Patient that is nothing that would be in the compartment if it were about the patient: it
    is about another.
    """
    bases = "|".join(map(re.escape, sorted(context.bases))).encode()
    pattern = re.compile(
        rb'"(?:reference|url)":"(?:(?:%s)/)?%s(?:/_history/[^"]*)?"' % (bases, _ID.encode())
    )
    others = set(member_types("Patient")) if type_ == "Patient" else set()
    there = {Key(stored.type, stored.id) for stored in page}
    keys = {
        Key(match[1].decode(), match[2].decode())
        for stored in page
        for match in pattern.finditer(stored.body)
    }
    wanted: dict[str, list[str]] = {}
    for key in sorted(keys - there):
        if key.type in RESOURCE_TYPES and key.type not in others and asked.takes(key.type):
            wanted.setdefault(key.type, []).append(key.id)
    found: list[Stored] = []
    left = context.max_page
    for one, ids in wanted.items():
        for part in _parts(ids):
            query = Query(one, (IdFilter(tuple(part)),), count=len(part), most=left)
            answer = await context.view.search(context.project, query)
            found += answer.matches
            left -= sum([len(match.body) for match in answer.matches])
            if answer.more or left <= 0:
                return found, True
    return found, False


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[at : at + 1000] for at in range(0, len(ids), 1000))
