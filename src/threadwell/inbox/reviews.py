"""The questions that a person has to answer, as the pages and the command show them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from threadwell.encounters import codes
from threadwell.encounters.codes import TASK_CODE
from threadwell.fhir.resource import Resource
from threadwell.inbox.counting import kept_count
from threadwell.inbox.dates import Dates
from threadwell.inbox.kept import count_held_at, held_tasks
from threadwell.inbox.names import address_text, concept_text, name_of
from threadwell.inbox.quarantine import title_of, waits_for
from threadwell.inbox.reader import Reader, id_in, key_of
from threadwell.inbox.turning import Turns
from threadwell.intake.circles.answers import candidates, suggestions
from threadwell.intake.held.listing import SHARED, quarantined
from threadwell.intake.links import circle_of
from threadwell.intake.people.question import Scope, scope_of
from threadwell.messages import Address

#: Questions on a page.
PAGE = 200

#: Questions that are read together where few are wanted, and values of one search.
_FEW, _SOME = 50, 100
#: Questions that are looked through for the next one that can be answered on a page.
_MOST_WALKED = 500

_STATUSES = ("requested", "accepted", "in-progress")
_OPEN = f"Task?code={TASK_CODE}|review&status={','.join(_STATUSES)}"
_OPEN_HELD = f"{_OPEN}&code={TASK_CODE}|quarantine"
_ALL = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient (``Patient/…``) whom a session may be about.

    Where the question is who writes at a shared address, it may be a ``RelatedPerson/…``, too.
    """

    patient: str
    name: str


@dataclass(frozen=True, slots=True)
class Review:
    """One open question. ``why`` says in a few words what it is, ``text`` in a sentence.

    ``about`` names the patients to choose from, the address that several share, or those who wrote
    what is held. ``sent`` is the FHIR dateTime of the first message, and ``when`` the same for
    people. ``href`` is the page of the session, the address or the held message that it is about,
    below the server's address; ``focus`` the resource, and ``task`` the question itself.
    ``candidates`` are those among whom ``intake.answer_review`` may choose. What asks who writes
    has the shared ``addresses``, and ``number`` messages wait for the answer. ``answer`` is the
    page on which it is answered, ``""`` where none is.
    """

    task: str
    why: str
    text: str
    about: str
    when: str
    sent: str
    focus: str
    href: str
    candidates: tuple[Candidate, ...] = ()
    addresses: tuple[str, ...] = ()
    number: int = 1
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in a sentence, and the Task that takes the answer (``Task/…``).

    ``answer`` is the page on which it is given, ``""`` where none is.
    """

    task: str
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """A page of them."""

    items: list[Review]
    turns: Turns


async def count_reviews(reader: Reader) -> int:
    """How many questions are open; of very many a number that was counted a moment ago."""
    return await kept_count(reader, "reviews", partial(_count, reader))


async def _count(reader: Reader) -> int:
    every = (await reader.search(_OPEN, _total="accurate", _count=0)).total or 0
    held = await reader.search_all(_OPEN_HELD)
    if not held:
        return every
    # Earlier builds asked about each message of a shared address.
    asked = [one for one in held if quarantined(one).reason == SHARED]
    return every - len(asked) + len({await waits_for(reader, one) for one in asked})


def asks_whom(task: Resource) -> bool:
    """Whether a Task asks whom a session of an import is about."""
    return bool(circle_of(task) and candidates(task) and id_in(task.get("focus"), "Encounter"))


async def next_review(reader: Reader, after: str) -> str:
    """The page of the open question that follows that of an id in the list, ``""`` for none.

    Behind the last one it is the first that can be answered on a page.
    """
    task = await reader.read("Task", after) or {}
    if since := str(task.get("authoredOn") or ""):
        # It may be answered by now: then what is as old stands behind it.
        passed = str(task.get("status")) not in _STATUSES
        async for one in _walk(reader, **{"authored-on": f"le{since}"}):
            if passed and one["id"] != after and (page := _answer_page(one)):
                return page
            passed = passed or one["id"] == after
    async for one in _walk(reader):
        if one["id"] != after and (page := _answer_page(one)):
            return page
    return ""


async def _walk(reader: Reader, **more: str) -> AsyncIterator[Resource]:
    """The open questions in the order of their list, a few at a time."""
    cursor, turn, walked = "", True, 0
    while turn and walked < _MOST_WALKED:
        found = await reader.page(_OPEN, _FEW, cursor, _sort="-authored-on", **more)
        for one in found.resources:
            yield one
        cursor = found.turns.after
        turn, walked = bool(cursor), walked + _FEW


def _answer_page(task: Resource) -> str:
    return f"/reviews/{task['id']}" if asks_whom(task) or scope_of(task) else ""


async def list_reviews(reader: Reader, *, cursor: str, dates: Dates) -> ReviewsPage:
    """The page of open questions that a cursor leads to, the newest message first."""
    found = await reader.page(_OPEN, PAGE, cursor, _sort="-authored-on")
    await _learn(reader, found.resources)
    return ReviewsPage(await _reviews(reader, found.resources, dates), found.turns)


async def all_reviews(reader: Reader, dates: Dates) -> list[Review]:
    """Every open question, the newest message first."""
    tasks = await reader.search_all(_OPEN, _sort="-authored-on")
    await _learn(reader, tasks)
    return await _reviews(reader, tasks, dates)


async def reviews_of(
    reader: Reader,
    patient: str,
    sessions: Collection[str],
    circles: Collection[str],
    addresses: Iterable[Address],
    dates: Dates,
) -> list[Review]:
    """The open questions that are about a patient (``Patient/…``), the newest message first.

    They are about one of those sessions, by ids, or the patient is one of those to choose from;
    these are asked in one of those circles, or of who writes from one of those addresses.
    """
    found: dict[str, Resource] = {}
    for name, values in (
        ("focus", [f"Encounter/{one}" for one in sessions]),
        ("identifier", [f"{codes.CIRCLE}|{one}" for one in circles]),
    ):
        for at in range(0, len(values), _SOME):
            some = {name: ",".join(values[at : at + _SOME])}
            found |= {one["id"]: one for one in await reader.search_all(_OPEN, **some)}
    for address in addresses:
        asked = await reader.read("Task", Scope(address).identity.id)
        if asked and asked.get("status") in _STATUSES:
            found[asked["id"]] = asked
    tasks = sorted(found.values(), key=lambda one: str(one.get("authoredOn")), reverse=True)
    await _learn(reader, tasks)
    return [
        one
        for one in await _reviews(reader, tasks, dates)
        if one.focus.removeprefix("Encounter/") in sessions
        or patient in {c.patient for c in one.candidates}
    ]


async def waiting_for(reader: Reader, address: str) -> list[Resource]:
    """The Tasks of the held messages that wait for who writes at an address."""
    every = [task async for task in held_tasks(reader, [address])]
    return [task for task in every if address in (one.value for one in quarantined(task).shared)]


async def _reviews(reader: Reader, tasks: Sequence[Resource], dates: Dates) -> list[Review]:
    """The questions of those Tasks, one for each shared address, where its first was."""
    addresses = {scope.address.value for task in tasks if (scope := scope_of(task))}
    waiting = {one: await count_held_at(reader, one) for one in addresses}
    groups: dict[object, list[Review]] = {}
    for task in tasks:
        one = await _review(reader, task, dates, waiting)
        groups.setdefault(one.addresses or one.task, []).append(one)
    return [
        those[0] if len(those) == 1 else replace(those[0], number=len(those))
        for those in groups.values()
    ]


async def questions(reader: Reader, focuses: Sequence[str]) -> list[Question]:
    """What is asked about those resources, each with the patients to choose from."""
    found = await reader.search(_OPEN, focus=",".join(focuses), _count=_ALL)
    await _learn(reader, found.resources)
    return [
        Question(f"Task/{task['id']}", _sentence(reader, task), _answer_page(task))
        for task in found.resources
    ]


async def _learn(reader: Reader, tasks: Sequence[Resource]) -> None:
    inputs = (entry for task in tasks for entry in task.get("input") or ())
    await reader.learn(
        entry["valueReference"]
        for entry in inputs
        if (key := key_of(entry.get("valueReference"))) and key.type in ("Patient", "RelatedPerson")
    )


def _sentence(reader: Reader, task: Resource) -> str:
    text = task.get("description") or concept_text(task.get("code")) or "a question is open"
    about = _candidates(reader, task)
    asked = f"{text.rstrip('.')}: {about}." if about else text
    return f"{asked}{_suggestion(reader, task)}"


def _candidates(reader: Reader, task: Resource) -> str:
    return " or ".join(_names(reader, candidates(task)))


def _suggestion(reader: Reader, task: Resource) -> str:
    names = _names(reader, suggestions(task))
    return f" The practice wrote of {' and '.join(names)}." if names else ""


def _names(reader: Reader, patients: Sequence[str]) -> list[str]:
    return [name_of({"reference": patient}, reader) for patient in patients]


async def _review(
    reader: Reader, task: Resource, dates: Dates, waiting: Mapping[str, int]
) -> Review:
    session = id_in(task.get("focus"), "Encounter")
    own = f"Task/{task['id']}"
    scope = scope_of(task)
    if scope is not None:
        return Review(
            task=own,
            why=concept_text(task.get("reasonCode")),
            text=task.get("description", ""),
            about=address_text(scope.address.value),
            sent=task.get("authoredOn", ""),
            when=dates.text(task.get("authoredOn")),
            focus=own,
            href=f"/reviews/{task['id']}",
            candidates=tuple(_candidate(reader, one) for one in candidates(task)),
            addresses=(scope.address.value,),
            number=waiting[scope.address.value],
            answer=_answer_page(task),
        )
    alike = () if session or quarantined(task).reason != SHARED else await waits_for(reader, task)
    return Review(
        task=own,
        why=concept_text(task.get("reasonCode")) or "A question is open",
        text=f"{task.get('description', '')}{_suggestion(reader, task)}",
        about=_candidates(reader, task) or ("" if session else await title_of(reader, task)),
        sent=task.get("authoredOn", ""),
        when=dates.text(task.get("authoredOn")),
        focus=f"Encounter/{session}" if session else own,
        href=f"/sessions/{session}" if session else f"/quarantine/{task['id']}",
        candidates=tuple(
            _candidate(reader, patient) for patient in (candidates(task) if session else ())
        ),
        addresses=tuple(sorted(alike)),
        answer=_answer_page(task),
    )


def _candidate(reader: Reader, who: str) -> Candidate:
    return Candidate(who, name_of({"reference": who}, reader))
