"""The list of sessions, newest first: each with whom, over what, and what was said last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from threadwell.encounters.names import resource_name
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Total
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import name_of, new_text
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.turning import Turns
from threadwell.inbox.words import Status, status_of
from threadwell.intake.reports.sessions import LookedAt, SessionSummary, looked_at
from threadwell.intake.reports.wanted import Wanted, wanted_query

#: Sessions on a page.
PAGE = 25


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of the list; ``asked`` where a question about it is open."""

    id: str
    name: str
    channels: tuple[str, ...]
    period: str
    messages: int
    status: Status
    asked: bool
    last_by: str
    last_text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of the ``wanted``; ``patient`` is a name where it is one patient's.

    ``known`` is whether that patient is there.
    """

    rows: list[SessionRow]
    total: int
    turns: Turns
    wanted: Wanted
    patient: str = ""
    known: bool = False


async def list_sessions(
    reader: Reader, wanted: Wanted, *, cursor: str = "", dates: Dates
) -> Listing:
    """The page of the wanted sessions that a cursor leads to, the newest first."""
    name, found = "", None
    if wanted.patient:
        found = await reader.read("Patient", wanted.patient)
        name = (resource_name(found) or "a patient") if found else "an unknown patient"
    query = await wanted_query(reader.store, reader.project, wanted, dates.zone)
    if query is None:
        return Listing([], 0, Turns("", ""), wanted, name, found is not None)
    page = await reader.open(replace(query, total=Total.ACCURATE), PAGE, cursor)
    rows = await _rows(reader, page.resources, dates)
    return Listing(rows, page.total or 0, page.turns, wanted, name, found is not None)


def session_name(session: SessionSummary) -> str:
    """What a session is called: whom it is about, else what."""
    if session.names:
        return " & ".join(session.names)
    return "Patient unclear" if session.to_review else session.topic or "No patient named"


async def _rows(reader: Reader, encounters: list[Resource], dates: Dates) -> list[SessionRow]:
    sessions = await looked_at(reader.store, reader.project, encounters)
    await reader.learn(one.last.get("sender") for one in sessions if one.last)
    return [_row(reader, one, dates) for one in sessions]


def _row(reader: Reader, session: LookedAt, dates: Dates) -> SessionRow:
    summary, last = session.summary, session.last
    name = session_name(summary)
    about = summary.topic if summary.topic != name else ""
    return SessionRow(
        id=summary.id,
        name=name,
        channels=summary.channels,
        period=dates.span(summary.start, summary.end),
        messages=summary.messages,
        status=status_of(summary.status),
        asked=summary.to_review,
        last_by=_speaker(last.get("sender"), name, reader) if last else "",
        last_text=_gist(last) if last else about,
    )


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
