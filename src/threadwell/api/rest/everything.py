"""``$everything`` of a Patient, of all Patients or of an Encounter.

FHIR R4 Patient §8.1.17.2, Encounter §8.11.13.1: the resource, all of its compartment, and what
these refer to.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest.bundles import bundle, bundled, found_entry
from threadwell.api.rest.parameters import parse_parameters
from threadwell.api.rest.read import existing
from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.search.parse import MAX_COUNT, natural, parse_query
from threadwell.fhir.search.query import Query
from threadwell.fhir.search.times import query_range
from threadwell.stores.contract import Key, Stored
from threadwell.stores.natural import NATURAL
from threadwell.stores.scanning import scan

#: The resource types that R4 defines the operation for, and its parameters there.
TYPES = {
    "Patient": ("start", "end", "_since", "_type", "_count", "_offset"),
    "Encounter": ("_since", "_type", "_count", "_offset"),
}
#: Those of which all may be asked for at once.
OF_ALL = frozenset({"Patient"})
#: An answer out of more resources than this is refused; searches can page through them.
MAX_RESOURCES = 10_000
#: Resources that are looked for at once.
_AT_ONCE = 100

#: How R4 says that a resource belongs to its own compartment.
_ITSELF = "{def}"
_ID = r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})"


async def everything(context: Context, request: Request) -> Answer:
    """A searchset of the compartment, and with it (``include``) what this page of it refers to.

    ``start`` and ``end`` are about when something happened; what has no such time is there in any
    case. ``_count`` makes pages.
    """
    asked = await _asked(request)
    found = await _Compartment(context, asked).resources(request.type, request.id)
    end = asked.offset + asked.count if asked.count is not None else len(found)
    page = found[asked.offset : end]
    included = await _referred(context, asked, request.type, page)
    versions = [*page, *included]
    shown = await bundled(context, request, versions)
    base = context.fhir.encode()
    entries = [
        found_entry(base, stored, body, b"match" if at < len(page) else b"include")
        for at, (stored, body) in enumerate(zip(versions, shown, strict=True))
    ]
    links = _links(f"{context.fhir}/{request.path}", asked, more=end < len(found))
    return bundle("searchset", entries, total=len(found), links=links)


@dataclass(frozen=True, slots=True)
class _Asked:
    """``filters`` are the search parameters of every resource, ``dates`` those of its natural
    time; ``kept`` is what a link to another page repeats.
    """

    types: frozenset[str]
    filters: tuple[tuple[str, str], ...]
    dates: tuple[str, ...]
    count: int | None
    offset: int
    kept: tuple[tuple[str, str], ...]

    def takes(self, type_: str) -> bool:
        return not self.types or type_ in self.types


async def _asked(request: Request) -> _Asked:
    pairs = await parse_parameters(request, *TYPES[request.type])
    types: set[str] = set()
    filters: list[tuple[str, str]] = []
    dates: list[str] = []
    count, offset = None, 0
    for name, value in pairs:
        match name:
            case "_type":
                types.update(value.split(","))
            case "_count":
                count = min(natural(name, value), MAX_COUNT)
            case "_offset":
                offset = natural(name, value)
            case _:
                _check_date(name, value)
                if name == "_since":
                    filters.append(("_lastUpdated", f"ge{value}"))
                else:
                    dates.append(f"ge{value}" if name == "start" else f"le{value}")
    if unknown := types - RESOURCE_TYPES:
        raise invalid(f"Unknown resource type in _type: {min(unknown)[:64]}")
    kept = tuple(pair for pair in pairs if pair[0] not in ("_count", "_offset"))
    return _Asked(frozenset(types), tuple(filters), tuple(dates), count, offset, kept)


def _check_date(name: str, value: str) -> None:
    try:
        query_range(value)
    except ValueError:
        raise invalid(f"{name} must be a date") from None


class _Compartment:
    """The resources of compartments, each once, in an order that stays."""

    def __init__(self, context: Context, asked: _Asked) -> None:
        self._context = context
        self._asked = asked
        self._found: dict[Key, Stored] = {}

    async def resources(self, type_: str, id_: str) -> list[Stored]:
        """Those of one resource, or of all of its type where ``id_`` is ``""``."""
        if id_:
            starts = [existing(await self._context.store.read(self._context.project, type_, id_))]
        else:
            starts = [stored async for stored in self._search(type_, ())]
        if self._asked.filters and id_:
            # Whether it changed since then is for the search to tell.
            await self._take(type_, ("_id", id_))
        elif self._asked.takes(type_):
            self._add(starts)
        params: dict[str, list[str]] = load("compartments")[type_]
        for at in range(0, len(starts), _AT_ONCE):
            ids = ",".join(f"{type_}/{one.id}" for one in starts[at : at + _AT_ONCE])
            for other, names in params.items():
                for name in names if self._asked.takes(other) else ():
                    if name != _ITSELF:
                        await self._take(other, (name, ids))
        return list(self._found.values())

    async def _take(self, type_: str, by: tuple[str, str]) -> None:
        for when in self._times(type_):
            async for stored in self._search(type_, (by, *self._asked.filters, *when)):
                self._add([stored])

    def _times(self, type_: str) -> Iterator[tuple[tuple[str, str], ...]]:
        time = NATURAL.get(type_)
        if time is None or not self._asked.dates:
            yield ()
            return
        yield tuple((time, date) for date in self._asked.dates)
        yield ((f"{time}:missing", "true"),)

    async def _search(self, type_: str, params: Sequence[tuple[str, str]]) -> AsyncIterator[Stored]:
        context = self._context
        asked = parse_query(type_, params, bases=context.bases, now=context.clock)
        matches = scan(context.store, context.project, Query(type_, asked.filters))
        count = 0
        async for match in matches:
            yield match
            count += 1
            if count > MAX_RESOURCES:
                raise _too_costly()

    def _add(self, found: Iterable[Stored]) -> None:
        for stored in found:
            self._found.setdefault(Key(stored.type, stored.id), stored)
        if len(self._found) > MAX_RESOURCES:
            raise _too_costly()


async def _referred(
    context: Context, asked: _Asked, type_: str, page: Sequence[Stored]
) -> list[Stored]:
    """What the page refers to and does not hold.

    Of a Patient that is nothing that would be in the compartment if it were about the patient: it
    is about another.
    """
    bases = "|".join(map(re.escape, sorted(context.bases))).encode()
    pattern = re.compile(
        rb'"(?:reference|url)":"(?:(?:%s)/)?%s(?:/_history/[^"]*)?"' % (bases, _ID.encode())
    )
    others = {"Patient", *load("compartments")["Patient"]} if type_ == "Patient" else set()
    there = {Key(stored.type, stored.id) for stored in page}
    keys = {
        Key(match[1].decode(), match[2].decode())
        for stored in page
        for match in pattern.finditer(stored.body)
    }
    wanted = [
        key
        for key in sorted(keys - there)
        if key.type in RESOURCE_TYPES and key.type not in others and asked.takes(key.type)
    ]
    if len(wanted) > MAX_RESOURCES:
        raise _too_costly()
    found = await context.store.read_many(context.project, wanted)
    return [found[key] for key in wanted if key in found and not found[key].deleted]


def _links(url: str, asked: _Asked, *, more: bool) -> Iterator[tuple[str, str]]:
    def page(offset: int) -> str:
        pairs = [*asked.kept]
        if asked.count is not None:
            pairs.append(("_count", str(asked.count)))
        if offset:
            pairs.append(("_offset", str(offset)))
        return f"{url}?{urlencode(pairs, safe=',:/')}" if pairs else url

    yield "self", page(asked.offset)
    if more and asked.count:
        yield "next", page(asked.offset + asked.count)
    if asked.offset and asked.count:
        yield "previous", page(max(0, asked.offset - asked.count))


def _too_costly() -> FhirError:
    text = f"More than {MAX_RESOURCES} resources: ask for fewer with _type, or search"
    return FhirError(400, [Issue("too-costly", text)])
