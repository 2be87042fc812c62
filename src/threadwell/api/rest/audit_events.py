"""AuditEvents: those of the trail, made as they are looked at, beside those that are resources.

The runs of rules are resources, and what clients write. Those of the trail (``audit.…``) cannot be
written. Both are found by the search parameters of AuditEvent, newest first; chains, includes and
``_has`` reach the resources alone.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

from threadwell.access.holding import Seen
from threadwell.access.limited import Limited
from threadwell.access.policy import Interaction
from threadwell.api.answers import version_headers
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.params import parse_params
from threadwell.api.rest import search as searching
from threadwell.api.rest.bundles import bundle, bundled, found_entries
from threadwell.audit.events import event, events, parse_id, parts, without_hidden
from threadwell.audit.finding import WANTED, Allowance, Wanted, find, find_line
from threadwell.audit.record import Line
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import FhirError, Issue, invalid, not_found
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.match import matches
from threadwell.fhir.search.query import (
    AllFilter,
    DateFilter,
    EitherFilter,
    Filter,
    Place,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
    Total,
    within,
)
from threadwell.fhir.search.sought import Prefix, ReferenceMatch
from threadwell.fhir.search.times import query_range
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import Stored
from threadwell.stores.naming import with_names

TYPE = "AuditEvent"
_NEWEST = (Sort("date", descending=True),)
#: Orders that newest first is.
_ORDERS = ((), _NEWEST, (Sort("_lastUpdated", descending=True),))

#: How much of the trail one page looks at, and a total: a trail of years has millions of lines, and
#: what is made of one of them takes a third of a millisecond.
_MOST, _MOST_COUNTED = 100_000, 400_000


async def read(context: Context, request: Request) -> Answer:
    """One of the trail by its id; 404 where there is none (any more), or it may not be seen."""
    if request.version not in ("", "1"):
        raise not_found()
    named = parse_id(request.id)
    line = await find_line(context.trail, context.project, named.line) if named else None
    found = event(line, named.part) if line and named else None
    found = found and _shown(context, found, Interaction.READ)
    if found is None:
        raise not_found()
    stored = _stored(found)
    return Answer(200, version_headers(stored), stored.body)


async def search(context: Context, request: Request) -> Answer:
    """The page that the query asks for, newest first."""
    return await _answer(context, request, parse_params(request.query))


async def search_by_form(context: Context, request: Request) -> Answer:
    """The same, with parameters in the body as well."""
    return await _answer(context, request, searching.form_params(request))


class _Cursor(NamedTuple):
    """Behind which line, and behind which resource, a page goes on."""

    line: int | None = None
    after: Place | None = None
    done: bool = False


async def _answer(context: Context, request: Request, params: Sequence[tuple[str, str]]) -> Answer:
    others = [pair for pair in params if pair[0] != "_cursor"]
    parsed = context.asking.of(TYPE, request.compartment, others)
    asked = parsed.query
    if parsed.by_name:
        asked = await with_names(context.view, context.project, asked, context.packaged)
    if asked.sort not in _ORDERS:
        raise invalid("AuditEvents come newest first: _sort can be -date")
    if asked.offset:
        raise invalid("AuditEvents have no _offset: go on by the link to the next page")
    cursor = _read_cursor(dict(params).get("_cursor", ""))
    total = await _total(context, asked)
    if asked.summary_count:
        return bundle("searchset", [], total=total)
    found, includes, last = await _page(context, asked, cursor)
    base = context.fhir.encode()
    shown = await bundled(context, request, [*found, *includes])
    entries = found_entries(base, found, shown[: len(found)], b"match")
    entries += found_entries(base, includes, shown[len(found) :], b"include")
    path = f"{request.compartment}/{TYPE}" if request.compartment else TYPE
    url = f"{context.fhir}/{path}"
    kept = [pair for pair in others if pair[0] != "_count"] + [("_count", str(asked.count))]

    def link(more: Sequence[tuple[str, str]] = ()) -> str:
        return f"{url}?{urlencode([*kept, *more], safe=',:/|')}"

    own = [pair for pair in params if pair[0] == "_cursor"]
    links = [("self", link(own)), ("first", link())]
    if last is not None:
        links.append(("next", link([("_cursor", _write_cursor(last))])))
    told = encode([{"relation": relation, "url": to} for relation, to in links])
    return bundle("searchset", entries, total=total, links=told)


async def _page(
    context: Context, asked: Query, cursor: _Cursor
) -> tuple[list[Stored], list[Stored], _Cursor | None]:
    """The matches, what they include, and where to go on; ``None`` at the end."""
    query = replace(
        asked, sort=_NEWEST, after=cursor.after, placed=True, total=Total.NONE, count=asked.count
    )
    page = None if cursor.done else await context.view.search(context.project, query)
    resources = list(page.matches) if page else []
    places = list(page.places) if page else []
    found: list[Stored] = []
    taken, line = 0, cursor.line
    allowance = Allowance(_MOST)
    async with aclosing(_of_trail(context, asked, cursor.line, allowance)) as walk:
        part = await anext(walk, None)
        while len(found) < asked.count and (
            part or (taken < len(resources) and allowance.stopped is None)
        ):
            newest = _recorded(resources[taken]) if taken < len(resources) else ""
            if part and part.recorded >= newest:
                # All of a line are on one page: the next goes on behind it.
                found += part.events
                line = part.line
                part = await anext(walk, None)
            else:
                found.append(resources[taken])
                taken += 1
    more = bool(page and page.more) or taken < len(resources)
    stopped = allowance.stopped if part is None else None
    if part is None and stopped is None and not more:
        return found, list(page.included) if page else [], None
    after = places[taken - 1] if taken else cursor.after
    # A page that has looked at enough ends there, full or not: its link goes on.
    ended = line if part is not None else stopped or 0
    return found, list(page.included) if page else [], _Cursor(ended, after, not more)


class _Part(NamedTuple):
    line: int
    recorded: str
    events: list[Stored]


async def _of_trail(
    context: Context, asked: Query, before: int | None, allowance: Allowance
) -> AsyncGenerator[_Part, None]:
    """What matches of the trail, line by line, and may be seen; as far as the allowance goes."""
    if before == 0 or not _chainless(asked.filters):
        return
    wanted = replace(_wanted(asked.filters), before=before)
    async with aclosing(find(context.trail, context.project, wanted, allowance)) as walk:
        async for line in walk:
            made = list(events(line))
            # It takes a while, and others ask meanwhile.
            await asyncio.sleep(0)
            # One line may tell of very many patients, each of which is looked at.
            allowance.left -= WANTED * (len(made) - 1)
            found = [
                shown
                for one in made
                if _matches(context, asked.filters, one)
                and (shown := _shown(context, one, Interaction.SEARCH))
            ]
            if found:
                yield _Part(line.n, found[0]["recorded"], [_stored(one) for one in found])


async def _total(context: Context, asked: Query) -> int | None:
    if asked.total is Total.NONE and not asked.summary_count:
        return None
    counting = replace(asked, sort=(), count=0, summary_count=True, total=Total.ACCURATE)
    total = (await context.view.search(context.project, counting)).total
    if total is None:
        raise _too_many()
    allowance = Allowance(_MOST_COUNTED)
    if (count := _counting(context, asked.filters)) is not None:
        wanted = _wanted(asked.filters)
        async with aclosing(find(context.trail, context.project, wanted, allowance)) as lines:
            async for line in lines:
                told = count(line)
                allowance.left -= WANTED * max(0, told - 1)
                total += told
    else:
        async with aclosing(_of_trail(context, asked, None, allowance)) as walk:
            async for part in walk:
                total += len(part.events)
    if allowance.stopped is not None:
        raise _too_many()
    return total


def _too_many() -> FhirError:
    text = "There is too much of the trail to count: name a date, a patient or an agent"
    return FhirError(400, [Issue("too-costly", text)])


def _counting(context: Context, filters: Sequence[Filter]) -> Callable[[Line], int] | None:
    """What tells how many events of a line that is wanted match, where none has to be made."""
    view = context.view
    if isinstance(view, Limited):
        entries = view.policy.of(TYPE, Interaction.SEARCH)
        if not any(not entry.hidden and not entry.filters for entry in entries):
            return None
    match tuple(filters):
        case ():
            return parts
        case (ReferenceFilter(param="patient", matches=(only,), negate=False),) if (
            only == ReferenceMatch("Patient", only.id, "")
        ):
            return partial(_of_patient, context, filters, only.id)
    return None


def _of_patient(context: Context, filters: Sequence[Filter], id_: str, line: Line) -> int:
    """How many events of a line that is about a patient name them: more where it is they who ask,
    or who are shown.
    """
    by = line.record.by
    if f"Patient/{id_}" not in (by.who, by.acting) and all(
        (one.type, one.id) != ("Patient", id_) for one in line.record.touched
    ):
        return 1
    return sum(_matches(context, filters, one) for one in events(line))


def _wanted(filters: Sequence[Filter]) -> Wanted:
    """What lines have to be so that any event of them can match: by this blocks are found."""
    wanted = Wanted()
    for one in filters:
        match one:
            case ReferenceFilter(param="patient", matches=(only,), negate=False) if only.id:
                if only.type in ("", "Patient"):
                    wanted = replace(wanted, patient=only.id)
            case ReferenceFilter(param="entity", matches=(only,), negate=False) if only.type:
                if only.type != "Patient":
                    wanted = replace(wanted, entity=f"{only.type}/{only.id}")
            case ReferenceFilter(param="agent", matches=(only,), negate=False) if only.type:
                wanted = replace(wanted, who=f"{only.type}/{only.id}")
            case TokenFilter(param="purpose", negate=False):
                wanted = replace(wanted, purposed=True)
            case DateFilter(param="date", matches=(only,)):
                low, high = only.low // 1000, -(-only.high // 1000)
                if only.prefix in (Prefix.EQ, Prefix.GE, Prefix.GT, Prefix.SA):
                    wanted = replace(wanted, since=max(wanted.since, low))
                if only.prefix in (Prefix.EQ, Prefix.LE, Prefix.LT, Prefix.EB):
                    wanted = replace(wanted, until=min(wanted.until, high + 1))
    return wanted


def _matches(context: Context, filters: Sequence[Filter], one: Resource) -> bool:
    subject = Seen(TYPE, one["id"], _ms(one), one, context.bases)
    return all(_holds(filter_, subject) for filter_ in filters)


def _holds(filter_: Filter, subject: Seen) -> bool:
    match filter_:
        case AllFilter(filters):
            return all(_holds(one, subject) for one in filters)
        case EitherFilter(alternatives):
            return any(all(_holds(one, subject) for one in some) for some in alternatives)
        case _:
            return not within(filter_) and matches(filter_, subject)


def _chainless(filters: Sequence[Filter]) -> bool:
    return not any(within(one) for one in filters)


def _shown(context: Context, one: Resource, interaction: Interaction) -> Resource | None:
    """An event, if the caller's policy lets them see it; what it tells of what a policy hides is
    for those who see all events: others could ask for anything, and read here whether it is there.
    """
    if not isinstance(context.view, Limited):
        return one
    entries = [e for e in context.view.policy.of(TYPE, interaction) if not e.hidden]
    if any(not e.filters for e in entries):
        return one
    seen = any(_matches(context, e.filters, one) for e in entries)
    return without_hidden(one) if seen else None


def _stored(one: Resource) -> Stored:
    return Stored(TYPE, one["id"], "1", _ms(one), deleted=False, body=encode(one))


def _ms(one: Resource) -> int:
    return query_range(one["recorded"])[0] // 1000


def _recorded(stored: Stored) -> str:
    return instant(query_range(decode(stored.body)["recorded"])[0] // 1000)


def _write_cursor(cursor: _Cursor) -> str:
    values = list(cursor.after.values) if cursor.after else None
    number = cursor.after.number if cursor.after else 0
    packed = json.dumps([cursor.line, values, number, cursor.done]).encode()
    return urlsafe_b64encode(packed).decode().rstrip("=")


def _read_cursor(text: str) -> _Cursor:
    if not text:
        return _Cursor()
    try:
        packed = urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}")
        line, values, number, done = json.loads(packed)
        if not (line is None or type(line) is int) or type(number) is not int:
            raise ValueError
        if values is not None and not all(v is None or type(v) is int for v in values):
            raise ValueError
        if not -(2**63) <= number < 2**63 or type(done) is not bool:
            raise ValueError
        if any(v is not None and not -(2**63) <= v < 2**63 for v in values or ()):
            raise ValueError
        if values is not None and len(values) != 1:
            raise ValueError
        after = None if values is None else Place(tuple(values), number)
        return _Cursor(line, after, done)
    except (ValueError, TypeError, RecursionError):
        raise invalid("_cursor is not from a link of this search") from None
