"""The list of sessions, by their last messages: each with whom, over what, what was said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from threadwell.encounters.names import resource_name
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Total
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox.activity import Recent, recent
from threadwell.inbox.caring import OWNERS, Care, care_in, cared
from threadwell.inbox.counting import kept_count, number_of
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import name_of, new_text
from threadwell.inbox.read_state import unread_in
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.turning import LAST, MESSAGES, Turns
from threadwell.inbox.waiting import WAITS
from threadwell.inbox.walking import fits
from threadwell.inbox.words import Status, status_of
from threadwell.intake.reports.sessions import (
    LookedAt,
    SessionSummary,
    by_beginning,
    looked_at,
)
from threadwell.intake.reports.wanted import Wanted, bounds, wanted_query

#: Sessions on a page.
PAGE = 25
#: Sessions that are read at once where all are wanted.
_AT_ONCE = 1000
#: Open sessions that are all read for a page of them.
_FEW_OPEN = 100
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of the list; ``asked`` where a question about it is open.

    ``unread`` messages came since whoever looks has read it. ``care`` is who takes care of the
    thread that waits in it, where one does. ``place`` leads on its page to what is unread.
    """

    id: str
    name: str
    ways: tuple[str, ...]
    period: str
    messages: int
    status: Status
    asked: bool
    last_by: str
    last_text: str
    unread: int = 0
    care: Care | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of the ``wanted``; ``patient`` is a name where it is one patient's.

    ``known`` is whether that patient is there. ``total`` is ``None`` where to count them would take
    longer than to show them.
    """

    rows: list[SessionRow]
    total: int | None
    turns: Turns
    wanted: Wanted
    patient: str = ""
    known: bool = False


async def list_sessions(
    reader: Reader,
    wanted: Wanted,
    *,
    waiting: str = "",
    cursor: str = "",
    dates: Dates,
    me: str = "",
    clock: Clock = now_ms,
) -> Listing:
    """The page of the wanted sessions that a cursor leads to, the one that was written in last
    first; the days of ``wanted`` are those of its last message.

    ``waiting`` is for whom they wait, one of ``WAITING``, or who takes care of them, one of
    ``OWNERS``: then what has waited longest stands first. Unread messages are counted for ``me``,
    the reference of whoever looks. One patient's sessions, those with an open question and the
    superseded stand by when they began, and their days are of that.
    """
    if by_beginning(wanted):
        return await _by_beginning(reader, wanted, cursor=cursor, dates=dates, me=me)
    if waiting in OWNERS:
        return await _cared(reader, wanted, waiting, cursor, dates, me)
    since, until = bounds(wanted, dates.zone)
    if waiting:
        since = max(since or 0, (clock() - WAITS * _DAY_MS) * 1000)
    narrowed = waiting or wanted.channel or since is not None or until is not None
    total = None if narrowed else await _count(reader, wanted)
    if total == 0:
        # To walk over all that was written lately, and find none of these, takes long. Who looks
        # here for the first time has looked all the same.
        return Listing(await _rows(reader, [], dates, me), 0, Turns("", ""), wanted)
    fitting = partial(fits, reader, waiting)
    asked = Recent(fitting, since, until, wanted.channel, wanted.status)
    among = None if narrowed else await _few_open(reader, wanted)
    page = await recent(reader, asked, cursor, PAGE, among)
    rows = await _rows(reader, page.encounters, dates, me)
    return Listing(rows, total, page.turns, wanted)


async def _by_beginning(
    reader: Reader, wanted: Wanted, *, cursor: str, dates: Dates, me: str
) -> Listing:
    name, found = "", None
    if wanted.patient:
        found = await reader.read("Patient", wanted.patient)
        name = (resource_name(found) or "a patient") if found else "an unknown patient"
    query = await wanted_query(reader.view, reader.project, wanted, dates.zone)
    if query is None:
        return Listing([], 0, Turns("", ""), wanted, name, found is not None)
    page = await reader.open(replace(query, total=Total.ACCURATE), PAGE, cursor)
    rows = await _rows(reader, page.resources, dates, me)
    return Listing(rows, page.total, page.turns, wanted, name, found is not None)


async def _cared(
    reader: Reader, wanted: Wanted, whose: str, cursor: str, dates: Dates, me: str
) -> Listing:
    page = await cared(reader, whose, me, cursor, PAGE)
    rows = await _rows(reader, page.encounters, dates, me)
    return Listing(rows, page.total, page.turns, wanted)


async def _count(reader: Reader, wanted: Wanted) -> int:
    """How many sessions there are; on a large store a number that was counted a moment ago."""
    return await kept_count(reader, wanted.status, partial(_counted, reader, wanted))


async def _counted(reader: Reader, wanted: Wanted) -> int:
    query = await wanted_query(reader.view, reader.project, wanted, ZoneInfo("UTC"))
    assert query is not None
    return await number_of(reader, query)


async def _few_open(reader: Reader, wanted: Wanted) -> list[Resource] | None:
    """The Encounters of the open sessions, where there are few: ``None`` for others and for many.

    Many are among what was written lately. Few may be among millions that are over.
    """
    if wanted.status != "open":
        return None
    query = await wanted_query(reader.view, reader.project, wanted, ZoneInfo("UTC"))
    assert query is not None
    page = await reader.view.search(reader.project, replace(query, count=_FEW_OPEN))
    return None if page.more else [decode(match.body) for match in page.matches]


def session_name(session: SessionSummary) -> str:
    """What a session is called: whom it is about, else what."""
    if session.names:
        return " & ".join(session.names)
    return "Patient unclear" if session.to_review else session.topic or "No patient named"


async def _rows(
    reader: Reader, encounters: list[Resource], dates: Dates, me: str
) -> list[SessionRow]:
    those = await looked_at(reader.view, reader.project, encounters)
    await reader.learn(one.last.get("sender") for one in those if one.last)
    unread = await unread_in(reader, [one.headers for one in those], me) if me else []
    numbers = unread or [0] * len(those)
    care = await care_in(reader, (h["id"] for one in those for h in one.headers), me, dates)
    return [_row(reader, *one, care, dates) for one in zip(those, numbers, strict=True)]


def _row(
    reader: Reader, session: LookedAt, unread: int, care: Mapping[str, Care], dates: Dates
) -> SessionRow:
    summary, last = session.summary, session.last
    name = session_name(summary)
    about = summary.topic if summary.topic != name else ""
    # A long one that is open is gone on with at its end.
    goes_on = summary.status == "in-progress" and summary.messages > MESSAGES
    return SessionRow(
        id=summary.id,
        name=name,
        ways=summary.ways,
        period=dates.span(summary.start, summary.end),
        messages=summary.messages,
        status=status_of(summary.status),
        asked=summary.to_review,
        last_by=_speaker(last.get("sender"), name, reader) if last else "",
        last_text=_gist(last) if last else about,
        unread=unread,
        place=_place(last, summary.messages) if last and (unread or goes_on) else "",
        care=next((care[one["id"]] for one in session.headers if one["id"] in care), None),
    )


def _place(last: Resource, messages: int) -> str:
    """Where the last message of a session stands on its page."""
    header = id_in(next(iter(last.get("partOf") or ()), None), "Communication")
    page = f"?thread={header}&cursor={LAST}" if messages > MESSAGES else ""
    return f"{page}#m-{last['id']}"


def _speaker(sender: Any, name: str, reader: Reader) -> str:
    """Who wrote last, ``""`` where the row is named after them."""
    if id_in(sender, "Organization"):
        return "Practice"
    speaker = name_of(sender, reader)
    return speaker if speaker != name else ""


def _gist(message: Resource) -> str:
    for payload in message.get("payload") or ():
        if text := " ".join((new_text(payload) or payload.get("contentString", "")).split()):
            return text[:200]
    return "An attachment" if message.get("payload") else "No text"
