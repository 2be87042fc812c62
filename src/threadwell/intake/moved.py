"""Which sessions other rules of the care time zone would move to other days."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from threadwell.encounters import codes
from threadwell.encounters.merge import is_live, is_locked
from threadwell.encounters.times import microseconds, parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.parse import parse_query
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import chunks, search_all
from threadwell.sessions.policies import NOT_BY_DAY
from threadwell.stores.contract import Key, Store
from threadwell.zones import Span, Zone, differing


@dataclass(frozen=True, slots=True)
class MovedSession:
    """A session of which ``messages`` messages are of the day ``new``, and no longer of ``old``.

    ``encounter`` is its reference. One that is ``locked`` was billed, and stays as it is.
    """

    encounter: str
    old: date
    new: date
    messages: int
    locked: bool


async def moved_sessions(store: Store, project: str, old: Zone, new: Zone) -> list[MovedSession]:
    """The sessions that were cut by days of ``old`` and would not be the same by ``new``."""
    if old.rules == new.rules:
        return []
    ends = [await _end(store, project, sort) for sort in ("sent", "-sent")]
    if not all(ends):
        return []
    first, last = (datetime.fromisoformat(end) for end in ends)
    spans = differing(old, new, first, last)
    moved: dict[str, list[Span]] = {}
    async for header, span in _messages(store, project, spans):
        moved.setdefault(header, []).append(span)
    return await _sessions(store, project, moved)


async def _end(store: Store, project: str, sort: str) -> str:
    """When the first or the last message was sent; ``""`` where there is none."""
    asked = [("part-of:missing", "false"), ("sent:missing", "false")]
    query = parse_query("Communication", [*asked, ("_sort", sort), ("_count", "1")])
    page = await store.search(project, query)
    return str(decode(page.matches[0].body)["sent"]) if page.matches else ""


async def _messages(
    store: Store, project: str, spans: Iterable[Span]
) -> AsyncIterator[tuple[str, Span]]:
    """The header (``Communication/…``) of each message within the spans."""
    every = list(spans)
    if not every:
        return
    asked = [
        ("part-of:missing", "false"),
        ("sent", f"ge{every[0].start.isoformat()}"),
        ("sent", f"lt{every[-1].end.isoformat()}"),
        ("_sort", "sent"),
    ]
    at = 0
    async for stored in search_all(store, project, parse_query("Communication", asked)):
        child = decode(stored.body)
        sent = parse_fhir_time(child["sent"])
        while at < len(every) - 1 and microseconds(every[at].end) <= sent:
            at += 1
        if microseconds(every[at].start) <= sent < microseconds(every[at].end):
            yield str(child["partOf"][0]["reference"]), every[at]


async def _sessions(store: Store, project: str, moved: dict[str, list[Span]]) -> list[MovedSession]:
    headers = await _read(store, project, moved)
    by_session: dict[str, list[Span]] = {}
    for name, header in headers.items():
        if encounter := target(header, "encounter"):
            by_session.setdefault(encounter, []).extend(moved[name])
    encounters = await _read(store, project, by_session)
    billed = await _billed(store, project, encounters)
    return sorted(
        (
            MovedSession(name, span.old, span.new, spans.count(span), name in billed)
            for name, spans in by_session.items()
            if name in encounters and _is_by_day(encounters[name])
            for span in sorted(set(spans))
        ),
        key=lambda one: (one.old, one.encounter, one.new),
    )


async def _read(store: Store, project: str, names: Iterable[str]) -> dict[str, Resource]:
    """The live resources of those names (``Type/id``)."""
    out: dict[str, Resource] = {}
    for some in chunks(names):
        found = await store.read_many(project, [as_key(name) for name in some])
        for key, stored in found.items():
            body = {} if stored.deleted else decode(stored.body)
            if body and is_live(body):
                out[_name(key)] = body
    return out


async def _billed(store: Store, project: str, encounters: Mapping[str, Resource]) -> set[str]:
    """Those that are locked, or one of whose medical encounters is."""
    out = {name for name, body in encounters.items() if is_locked(body)}
    for some in chunks(encounters):
        query = parse_query("Encounter", [("part-of", ",".join(some))])
        async for stored in search_all(store, project, query):
            body = decode(stored.body)
            if is_locked(body):
                out.add(target(body, "partOf"))
    return out


def _name(key: Key) -> str:
    return f"{key.type}/{key.id}"


def _is_by_day(encounter: Resource) -> bool:
    """Whether a policy made the session that may have asked what day it was."""
    for identifier in encounter.get("identifier") or ():
        if identifier.get("system") == codes.SESSION:
            return str(identifier.get("value", "")).partition("|")[0] not in NOT_BY_DAY
    return False
