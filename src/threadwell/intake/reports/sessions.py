"""The sessions that a store holds, each in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.services import way_of
from threadwell.encounters import codes
from threadwell.encounters.pattern import SESSIONS
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    Filter,
    MissingFilter,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
    Total,
)
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.reports.last_said import LIVE, last_said
from threadwell.intake.reports.wanted import Wanted, asked_about, wanted_query
from threadwell.intake.reports.whom import Whom, whom
from threadwell.stores.contract import Reading

#: What ``medium`` tells of the way of messages that no channel of ours brought.
_MEDIA = {"EMAILWRIT": "email", "SMSWRIT": "sms", "MMSWRIT": "sms", "APPWRIT": "app"}
_WITHDRAWN = "entered-in-error"


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session. ``id`` is the logical id of its session encounter.

    ``patients`` are references, in order, none where it is not known whom it is about, and
    ``names`` what they are called. ``topic`` is that of its first thread. ``ways`` are its
    ``channels``, each with the service that a thread goes by there (``twilio:whatsapp``).
    ``start`` and ``end`` are FHIR dateTimes: the period of the Encounter where it has one, else the
    times of the first and the last message; ``""`` if there is none. ``headers`` are the logical
    ids of its threads, and ``messages`` how many they have. ``to_review`` says that a question
    about it is open.
    """

    id: str
    status: str
    patients: tuple[str, ...]
    names: tuple[str, ...]
    topic: str
    channels: tuple[str, ...]
    ways: tuple[str, ...]
    start: str
    end: str
    headers: tuple[str, ...]
    messages: int
    to_review: bool


async def sessions(
    store: Reading,
    project: str,
    wanted: Wanted | None = None,
    *,
    zone: ZoneInfo | None = None,
    limit: int | None = None,
) -> list[SessionSummary]:
    """The sessions that are wanted, at most ``limit``; superseded ones only if they are asked for.

    The one that was written in last is the first, but where ``by_beginning`` says otherwise. All
    that are wanted are read for that. ``zone`` has the days of ``wanted``.
    """
    wanted = wanted or Wanted()
    query = await wanted_query(store, project, wanted, zone or ZoneInfo("UTC"))
    if query is None:
        return []
    encounters: list[Resource] = []
    async for stored in search_all(store, project, query):
        if by_beginning(wanted) and limit is not None and len(encounters) >= limit:
            break
        encounters.append(decode(stored.body))
    there = await looked_at(store, project, encounters)
    if not by_beginning(wanted):
        there.sort(key=_active, reverse=True)
    return [one.summary for one in there[:limit]]


def by_beginning(wanted: Wanted) -> bool:
    """Whether those sessions stand by when they began, the latest first.

    So do one patient's, those with an open question, and the superseded: there are few of them.
    """
    return bool(wanted.patient or wanted.to_review or wanted.status == "superseded")


async def count_sessions(store: Reading, project: str) -> int:
    """How many sessions there are, without the superseded."""
    status = TokenFilter("status", (TokenMatch(None, _WITHDRAWN),), negate=True)
    query = Query("Encounter", (*SESSIONS, status), count=0, total=Total.ACCURATE)
    return (await store.search(project, query)).total or 0


async def summaries(
    store: Reading, project: str, encounters: Sequence[Resource]
) -> list[SessionSummary]:
    """A line for each of the session encounters, in their order."""
    return [one.summary for one in await looked_at(store, project, encounters)]


class LookedAt(NamedTuple):
    """A session with its thread headers, the earliest first, and its last message, if any."""

    summary: SessionSummary
    headers: list[Resource]
    last: Resource | None


async def looked_at(store: Reading, project: str, encounters: Sequence[Resource]) -> list[LookedAt]:
    """Each of the session encounters with what there is of it, in their order."""
    out: list[LookedAt] = []
    rest = iter(encounters)
    while some := list(islice(rest, 200)):
        ids = [one["id"] for one in some]
        headers = await session_headers(store, project, ids)
        asked = await asked_about(store, project, ids)
        about = await whom(store, project, some, headers, asked)
        every = (header["id"] for those in headers.values() for header in those)
        said = await last_said(store, project, every)
        for one in some:
            threads = headers.get(one["id"], [])
            number = sum(said[header["id"]].number for header in threads)
            lasts = [last for header in threads if (last := said[header["id"]].last)]
            last = max(lasts, key=lambda each: _at(_sent(each)), default=None)
            begun = (one.get("period") or {}).get("start")
            first = await _first(store, project, threads) if number and not begun else None
            summary = _summary(one, about[one["id"]], threads, number, one["id"] in asked)
            start, end = summary.start or _sent(first), summary.end or _sent(last)
            out.append(LookedAt(replace(summary, start=start, end=end), threads, last))
    return out


def _summary(
    encounter: Resource, about: Whom, threads: Sequence[Resource], messages: int, asked: bool
) -> SessionSummary:
    period = encounter.get("period") or {}
    return SessionSummary(
        encounter["id"],
        str(encounter.get("status", "")),
        about.patients,
        about.names,
        next((topic for one in threads if (topic := topic_of(one))), ""),
        tuple(dict.fromkeys(filter(None, map(channel_of, threads)))),
        tuple(dict.fromkeys(filter(None, map(way_of_header, threads)))),
        period.get("start") or "",
        period.get("end") or "",
        tuple(header["id"] for header in threads),
        messages,
        asked,
    )


async def session_headers(
    store: Reading, project: str, ids: Sequence[str]
) -> dict[str, list[Resource]]:
    """The live thread headers that link to each of the session encounters, the earliest first.

    Those of a superseded session are all superseded: then they are the ones that it had.
    """
    live: dict[str, list[Resource]] = {}
    former: dict[str, list[Resource]] = {}
    for some in chunks(ids):
        matches = tuple(ReferenceMatch("Encounter", id_, "") for id_ in some)
        filters: tuple[Filter, ...] = (
            ReferenceFilter("encounter", matches),
            MissingFilter("part-of", missing=True),
        )
        query = Query("Communication", filters, sort=(Sort("sent"),))
        async for stored in search_all(store, project, query):
            header = decode(stored.body)
            into = former if header.get("status") == _WITHDRAWN else live
            into.setdefault(as_key(target(header, "encounter")).id, []).append(header)
    return {**former, **live}


def channel_of(header: Resource) -> str:
    """The name of the channel that a thread came by, ``""`` where nothing tells it."""
    for identifier in header.get("identifier") or ():
        system = str(identifier.get("system", ""))
        if system.startswith(codes.THREAD) and system != codes.THREAD:
            return system.removeprefix(codes.THREAD)
    codings = (c for medium in header.get("medium") or () for c in medium.get("coding") or ())
    return next((_MEDIA[code] for c in codings if (code := c.get("code")) in _MEDIA), "")


def way_of_header(header: Resource) -> str:
    """By which way people see a thread go: its channel, with the service where that has several."""
    for identifier in header.get("identifier") or ():
        system = str(identifier.get("system", ""))
        if system.startswith(codes.THREAD) and system != codes.THREAD:
            return way_of(system.removeprefix(codes.THREAD), str(identifier.get("value", "")))
    return channel_of(header)


def topic_of(header: Resource) -> str:
    """What a thread is about, in the words of its header."""
    topic = header.get("topic") or {}
    codings = topic.get("coding") or ()
    words = [topic.get("text"), *(c.get("display") for c in codings)]
    return str(next(filter(None, words), ""))


def _active(session: LookedAt) -> tuple[int, str]:
    """By when somebody has written in it last; where nobody has, by when it began."""
    said = str((session.last or {}).get("sent", ""))
    return _at(said or session.summary.start), session.summary.id


async def _first(store: Reading, project: str, headers: Sequence[Resource]) -> Resource | None:
    """The first message of threads, by when it was sent."""
    matches = tuple(ReferenceMatch("Communication", one["id"], "") for one in headers)
    filters = (ReferenceFilter("part-of", matches), LIVE)
    page = await store.search(project, Query("Communication", filters, (Sort("sent"),), count=1))
    return decode(page.matches[0].body) if page.matches else None


def _sent(message: Resource | None) -> str:
    message = message or {}
    return str(message.get("sent") or message.get("received") or "")


def _at(text: str) -> int:
    try:
        return parse_fhir_time(text)
    except ValueError:
        return 0
