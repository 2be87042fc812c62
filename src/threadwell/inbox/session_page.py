"""A session as a page: its threads message by message, who takes part, and its encounters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from threadwell.encounters.pattern import is_session
from threadwell.fhir.resource import Resource
from threadwell.inbox import kept
from threadwell.inbox.dates import Dates
from threadwell.inbox.listing import session_name
from threadwell.inbox.message_view import Day, days_of, shared_notes
from threadwell.inbox.names import concept_text, name_of, role_of
from threadwell.inbox.reader import Reader, key_of
from threadwell.inbox.reasons import named_in
from threadwell.inbox.reviews import Question, questions
from threadwell.inbox.turning import MESSAGES, Turns
from threadwell.inbox.words import Status, status_of
from threadwell.intake.circles.place import thread_of
from threadwell.intake.links import circle_of
from threadwell.intake.reports.sessions import channel_of, looked_at, way_of_header
from threadwell.intake.reports.threads import neighbours, successor, superseded_because
from threadwell.intake.reports.wanted import STATUSES

#: What a person may do with a whole session: what its button says.
CLOSE, REOPEN = "close", "reopen"
#: What the next message does once a session is closed, by the policy of the store.
_AFTER_CLOSING = {
    "per-day": "The next message of the same day opens it again.",
    "per-thread": "The next message of its thread opens it again.",
    "inactivity-gap": "The next message begins another session.",
    "explicit": "What is written then is in no session, until somebody opens one.",
}

_MANY = 1000
_OPEN = STATUSES["open"][1]
#: v3 ParticipationType that says nothing more.
_TOOK_PART = "PART"


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One thread header and a page of its messages.

    ``channel`` is ``""`` where nothing tells it, and ``way`` names the service within it, too
    (``twilio:whatsapp``); ``external`` is the thread's id there. It may be
    ``closed`` while its session is open.
    ``before`` and ``after`` are the sessions in which a rolling thread was and goes on, ``""`` if
    none. ``turns`` lead to further messages. ``notes`` are what is noted of each of those messages
    alike.
    """

    id: str
    topic: str
    channel: str
    way: str
    external: str
    before: str
    after: str
    total: int
    days: list[Day]
    turns: Turns
    notes: list[str]
    closed: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who takes part, and as what."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class MedicalEncounter:
    """One patient's care within a session of several."""

    id: str
    name: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """Everything that the page of a session shows.

    ``patients`` are ids and names of those whom it is about. Of a superseded session ``because``
    tells why it is one, and ``successor`` is the id of the one that has its messages now, ``""``
    where there is none. It is ``correctable`` whom it is about where an import has made it, and
    ``act`` is what may be done with it then: ``CLOSE``, ``REOPEN``, or ``""``; ``afterwards`` says
    what the next message does, ``""`` where nobody knows.
    """

    id: str
    name: str
    status: Status
    period: str
    messages: int
    ways: tuple[str, ...]
    threads: list[ThreadView]
    participants: list[Participant]
    medical: list[MedicalEncounter]
    reviews: list[Question]
    patients: list[tuple[str, str]]
    superseded: bool
    because: str
    successor: str
    correctable: bool
    act: str
    afterwards: str


async def load_session(
    reader: Reader, encounter: Resource, *, thread: str, cursor: str, dates: Dates
) -> SessionView:
    """The session of a session encounter; ``cursor`` leads to messages of the ``thread``, by its
    header's id, and all other threads begin at their first.
    """
    reference = f"Encounter/{encounter['id']}"
    ((summary, headers, _),) = await looked_at(reader.view, reader.project, [encounter])
    parts = (
        await reader.search(
            f"Encounter?part-of={reference}&status:not=entered-in-error", _count=_MANY
        )
    ).resources
    await reader.learn(_people(encounter, headers, parts))
    threads = [
        await _thread(reader, header, cursor if header["id"] == thread else "", dates)
        for header in headers
    ]
    superseded = encounter.get("status") == "entered-in-error"
    because = successor_ = ""
    if superseded:
        because = await superseded_because(reader.view, reader.project, encounter["id"])
        successor_ = await successor(reader.view, reader.project, headers)
    act, ours = _act(encounter), any(map(circle_of, headers))
    return SessionView(
        id=encounter["id"],
        name=session_name(summary),
        status=status_of(encounter.get("status", "")),
        period=dates.span(summary.start, summary.end),
        messages=sum(thread.total for thread in threads),
        ways=summary.ways,
        threads=threads,
        participants=_participants(reader, encounter, headers),
        medical=[_medical(reader, part) for part in parts],
        reviews=await questions(
            reader, [reference, *(f"Communication/{h['id']}" for h in headers)]
        ),
        patients=[
            (who.removeprefix("Patient/"), name)
            for who, name in zip(summary.patients, summary.names, strict=True)
            if who.startswith("Patient/")
        ],
        superseded=superseded,
        because=because,
        successor=successor_,
        correctable=not superseded and ours,
        act=act,
        afterwards=await _afterwards(reader, act) if ours else "",
    )


async def _afterwards(reader: Reader, act: str) -> str:
    if act == REOPEN:
        return "The next message joins this session again."
    choices = await kept.choices_of(reader)
    return _AFTER_CLOSING.get(choices.policy, "")


def _act(encounter: Resource) -> str:
    if not is_session(encounter):
        return ""
    status = encounter.get("status")
    return REOPEN if status == "finished" else CLOSE if status in _OPEN else ""


def shown_on(session: SessionView) -> tuple[str, ...]:
    """The resources that the page shows, or whose parts it shows."""
    medical = (f"Encounter/{one.id}" for one in session.medical)
    threads = (f"Communication/{one.id}" for one in session.threads)
    return (f"Encounter/{session.id}", *medical, *threads)


def last_shown(session: SessionView) -> dict[str, str]:
    """When the last message of each thread was sent (by its header's id) that the page shows.

    Threads that go on behind the page are not among them.
    """
    return {
        thread.id: thread.days[-1].messages[-1].sent
        for thread in session.threads
        if thread.days and not thread.turns.after
    }


async def _thread(reader: Reader, header: Resource, cursor: str, dates: Dates) -> ThreadView:
    found = await reader.page(
        f"Communication?part-of=Communication/{header['id']}&status:not=preparation",
        MESSAGES,
        cursor,
        _sort="sent",
        _total="accurate",
    )
    await reader.learn(child.get("sender") for child in found.resources)
    await reader.learn(named_in(found.resources))
    before, after = await neighbours(reader.view, reader.project, header)
    shared = shared_notes(found.resources)
    external = thread_of(header)
    return ThreadView(
        id=header["id"],
        topic=concept_text(header.get("topic")) or "Thread",
        channel=channel_of(header),
        way=way_of_header(header),
        external=external.id if external else "",
        before=before,
        after=after,
        total=found.total or 0,
        days=days_of(reader, found.resources, dates, shared),
        turns=found.turns,
        notes=shared,
        closed=header.get("status") == "completed",
    )


def _participants(
    reader: Reader, encounter: Resource, headers: Iterable[Resource]
) -> list[Participant]:
    """Everybody once: those whom the encounter names, then everybody else in the threads."""
    named: dict[Any, Participant] = {}
    for participant in encounter.get("participant") or ():
        who = participant.get("individual")
        types = ", ".join(filter(None, map(_part, participant.get("type") or ())))
        role = " · ".join(filter(None, [role_of(who, reader), types.lower()]))
        named.setdefault(_identity(who), Participant(name_of(who, reader), role))
    for header in headers:
        for who in filter(None, [header.get("sender"), *(header.get("recipient") or ())]):
            role = role_of(who, reader) or "Not known"
            named.setdefault(_identity(who), Participant(name_of(who, reader), role))
    return list(named.values())


def _part(concept: Any) -> str:
    """What somebody took part as, where that is more than that they did."""
    codings = concept.get("coding") or () if isinstance(concept, dict) else ()
    plain = bool(codings) and all(coding.get("code") == _TOOK_PART for coding in codings)
    return "" if plain else concept_text(concept)


def _identity(who: Any) -> Any:
    return key_of(who) or name_of(who, None)


def _medical(reader: Reader, part: Resource) -> MedicalEncounter:
    reasons = map(concept_text, part.get("reasonCode") or ())
    return MedicalEncounter(
        id=part["id"],
        name=name_of(part.get("subject"), reader),
        status=status_of(part.get("status", "")),
        reason=", ".join(filter(None, reasons)),
    )


def _people(*resources: Any) -> Iterator[Any]:
    """Every reference to somebody in an encounter, thread headers and medical encounters."""
    encounter, headers, parts = resources
    for resource in [encounter, *parts]:
        yield resource.get("subject")
        for participant in resource.get("participant") or ():
            yield participant.get("individual")
    for header in headers:
        yield header.get("sender")
        yield from header.get("recipient") or ()
