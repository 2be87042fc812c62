"""From the parameters of a search to a ``Query`` (FHIR R4 §3.1.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.search.catalogue import Catalogue, catalogue_of
from threadwell.fhir.search.cursor import Cursor, read_cursor
from threadwell.fhir.search.field import field as search_field
from threadwell.fhir.search.filter_expression import FILTER, parse_expression
from threadwell.fhir.search.filters import alternatives, looked_up, parse_filter, reference_field
from threadwell.fhir.search.query import Filter, Include, Query, Sort, Total, parts_of
from threadwell.fhir.search.sought import Prefix
from threadwell.fhir.search.summary import named_elements, summary_elements
from threadwell.fhir.search.terms import Reading
from threadwell.fhir.stamp import Clock, now_ms

#: The size of a page where the query asks for none, and the greatest that it may ask for.
DEFAULT_COUNT = 20
MAX_COUNT = 1000
MAX_OFFSET = 10_000
#: Filters that one query may have, values that they may all together compare with one by one, and
#: tokens, references and ids that they may look up: an id in each type that it may be of.
MAX_FILTERS = 100
MAX_ALTERNATIVES = 500
MAX_LOOKED_UP = 10_000
#: What every resource can be sorted by.
_SHARED_SORTS = frozenset({"_id", "_lastUpdated"})
#: Letters of a value beyond which its filter is not remembered.
_SHORT = 200
#: What a query may look up that is kept.
_FEW = 100


def parse_query(
    type_: str,
    params: Sequence[tuple[str, str]],
    *,
    bases: frozenset[str] = frozenset(),
    now: Clock = now_ms,
    most: int | None = None,
) -> Query:
    """The query of a resource type that the decoded ``params`` of a URL or form say.

    ``bases`` are the FHIR bases that the server is known under: an absolute reference below one of
    them is taken for a relative one; with them go the search parameters that it has
    (``catalogue.Home``). ``_summary`` becomes ``elements``, or ``summary_count``.
    ``most`` is how many bytes a page may have. Raises ``FhirError`` 400 that names the parameter,
    and never its value.
    """
    catalogue = catalogue_of(bases)
    draft = _Draft(type_, catalogue)
    filters: list[_Read] = []
    for name, value in params:
        read = _RESULTS.get(name)
        if read:
            read(draft, value)
            continue
        if len(filters) == MAX_FILTERS:
            raise invalid(f"A search has at most {MAX_FILTERS} filters")
        if name == FILTER:
            found = _expression(type_, value, Reading(bases, now() * 1000))
            if len(filters) + len(found) > MAX_FILTERS:
                raise invalid(f"A search has at most {MAX_FILTERS} filters")
            filters += found
        elif _is_remembered(name, value):
            filters.append(_remembered(type_, name, value, bases))
        else:
            filters.append(_read(type_, name, value, Reading(bases, now() * 1000)))
    if sum([one.alternatives for one in filters]) > MAX_ALTERNATIVES:
        raise invalid(f"A search has at most {MAX_ALTERNATIVES} alternatives")
    if sum([one.looked_up for one in filters]) > MAX_LOOKED_UP:
        raise invalid(
            f"A search has at most {MAX_LOOKED_UP:,} tokens, references and ids,"
            " an id without its type once for each that it may have"
        )
    if draft.cursor and draft.offset:
        raise invalid("_cursor and _offset both say where the page begins")
    after, back = None, False
    if draft.cursor:
        after, back, _ = read_cursor(type_, draft.sort, draft.cursor, catalogue)
    return Query(
        type_,
        tuple([one.filter for one in filters]),
        sort=tuple(draft.sort),
        count=draft.count,
        offset=draft.offset,
        after=after,
        back=back,
        total=draft.total,
        # A page of none is asked for to learn the total (§3.1.1.5.3).
        summary_count=draft.summary_count or not draft.count,
        elements=tuple(dict.fromkeys(draft.elements)),
        includes=tuple(draft.includes),
        rev_includes=tuple(draft.rev_includes),
        most=most,
        catalogue=catalogue,
    )


def is_lasting(query: Query, params: Sequence[tuple[str, str]]) -> bool:
    """Whether the query that ``params`` say is worth keeping for those who ask alike.

    It hangs on no clock, takes little room, and begins where everybody begins.
    """
    if query.after is not None or query.offset:
        return False
    for name, value in params:
        if len(value) > _SHORT or (name not in _RESULTS and not _is_remembered(name, value)):
            return False
    return sum([looked_up(query.type, one, query.catalogue) for one in query.filters]) <= _FEW


class Several(NamedTuple):
    """A search of several types: a query for each, and where the page begins."""

    queries: tuple[Query, ...]
    cursor: Cursor | None


def parse_several(
    types: Sequence[str],
    params: Sequence[tuple[str, str]],
    *,
    bases: frozenset[str] = frozenset(),
    now: Clock = now_ms,
) -> Several:
    """The queries of several types that one search says, as ``parse_query``; what it asks for must
    be there in each of them.
    """
    own = [pair for pair in params if pair[0] != "_cursor"]
    queries: list[Query] = []
    many = 0
    for type_ in types:
        try:
            query = parse_query(type_, own, bases=bases, now=now)
        except FhirError as error:
            text = f"{error.issues[0].text} (of {type_}; a search takes what all its types have)"
            raise FhirError(error.status, [replace(error.issues[0], text=text)]) from None
        many += sum([looked_up(type_, one, query.catalogue) for one in query.filters])
        if many > MAX_LOOKED_UP:
            raise invalid(
                f"A search of several types looks up at most {MAX_LOOKED_UP:,} tokens, references"
                " and ids in all of them: name fewer types in _type"
            )
        if query.offset:
            raise invalid("A search of several types has no _offset: follow the next links")
        if not _SHARED_SORTS.issuperset(key.param for key in query.sort):
            raise invalid("A search of several types is sorted by _id or _lastUpdated")
        queries.append(query)
    cursor = None
    text = next((value for name, value in params if name == "_cursor"), "")
    if text and queries:
        cursor = read_cursor(types[0], queries[0].sort, text, queries[0].catalogue)
        if cursor.at >= len(queries):
            raise invalid("_cursor is not from a link of this search")
    return Several(tuple(queries), cursor)


def _is_remembered(name: str, value: str) -> bool:
    # A chain is a filter for each type that it may lead to.
    return len(value) <= _SHORT and Prefix.AP not in value and "." not in name


class _Read(NamedTuple):
    filter: Filter
    alternatives: int
    looked_up: int


def _expression(type_: str, value: str, reading: Reading) -> list[_Read]:
    """What an expression comes to: a filter for each of those that must hold together."""
    found = parse_expression(type_, value, reading)
    return [_counted(type_, one, reading) for one in parts_of(found)]


def _read(type_: str, name: str, value: str, reading: Reading) -> _Read:
    found = parse_filter(type_, name, value, reading)
    return _counted(type_, found, reading)


def _counted(type_: str, found: Filter, reading: Reading) -> _Read:
    return _Read(found, alternatives(found), looked_up(type_, found, reading.catalogue))


@lru_cache(maxsize=4096)
def _remembered(type_: str, name: str, value: str, bases: frozenset[str]) -> _Read:
    """What does not hang on the clock; most searches ask for what others have asked for."""
    return _read(type_, name, value, Reading(bases, 0))


def natural(name: str, value: str) -> int:
    """The number that ``value`` is; raises ``FhirError`` 400 that names the parameter."""
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise invalid(f"{name} must be a whole number, 0 or greater")
    return int(value)


@dataclass(slots=True)
class _Draft:
    type: str
    catalogue: Catalogue
    sort: list[Sort] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    offset: int = 0
    cursor: str = ""
    total: Total = Total.NONE
    summary_count: bool = False
    elements: list[str] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    rev_includes: list[Include] = field(default_factory=list)


def _sort(draft: _Draft, value: str) -> None:
    for key in value.split(","):
        code = key.removeprefix("-")
        if search_field(draft.type, code, draft.catalogue).type == "composite":
            raise invalid(f"_sort does not take the composite parameter {code}")
        draft.sort.append(Sort(code, descending=key.startswith("-")))


def _count(draft: _Draft, value: str) -> None:
    draft.count = min(natural("_count", value), MAX_COUNT)


def _offset(draft: _Draft, value: str) -> None:
    draft.offset = natural("_offset", value)
    if draft.offset > MAX_OFFSET:
        raise invalid(f"_offset is greater than {MAX_OFFSET}: follow the next links instead")


def _cursor(draft: _Draft, value: str) -> None:
    draft.cursor = value


def _total(draft: _Draft, value: str) -> None:
    if value not in set(Total):
        raise invalid("_total must be none, estimate or accurate")
    draft.total = Total(value)


def _summary(draft: _Draft, value: str) -> None:
    draft.summary_count = value == "count"
    draft.elements.extend(summary_elements(draft.type, value))


def _elements(draft: _Draft, value: str) -> None:
    draft.elements.extend(named_elements(draft.type, value))


def _include(draft: _Draft, value: str, *, iterate: bool = False) -> None:
    draft.includes.append(_read_include(draft, "_include", draft.type, value, iterate))


def _rev_include(draft: _Draft, value: str, *, iterate: bool = False) -> None:
    draft.rev_includes.append(_read_include(draft, "_revinclude", "*", value, iterate))


def _read_include(draft: _Draft, name: str, default: str, value: str, iterate: bool) -> Include:
    if value == "*":
        return Include(default, "*", iterate=iterate)
    source, _, rest = value.partition(":")
    param, _, target = rest.partition(":")
    if source not in RESOURCE_TYPES or not param or target not in {"", *RESOURCE_TYPES}:
        raise invalid(f"Invalid {name}: expected Type:reference or Type:reference:Type")
    if param != "*":
        reference_field(source, param, draft.catalogue)
    return Include(source, param, target, iterate)


def _iterated(read: Callable[..., None]) -> _Reader:
    return lambda draft, value: read(draft, value, iterate=True)


def _ignore(_: _Draft, __: str) -> None:
    """The format of the answer is no matter of the search."""


_Reader: TypeAlias = Callable[[_Draft, str], None]
_RESULTS: dict[str, _Reader] = {
    "_sort": _sort,
    "_count": _count,
    "_offset": _offset,
    "_cursor": _cursor,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    "_fields": _elements,
    "_include": _include,
    "_include:iterate": _iterated(_include),
    "_include:recurse": _iterated(_include),
    "_revinclude": _rev_include,
    "_revinclude:iterate": _iterated(_rev_include),
    "_revinclude:recurse": _iterated(_rev_include),
    "_format": _ignore,
    "_pretty": _ignore,
}
