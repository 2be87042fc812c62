"""The questions that a person has to answer, as the pages and the command show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from threadwell.encounters.codes import TASK_CODE
from threadwell.fhir.resource import Resource
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import concept_text, name_of
from threadwell.inbox.quarantine import title_of, waits_for
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.turning import Turns
from threadwell.intake.circles.answers import candidates, suggestions

#: Questions on a page.
PAGE = 200

_STATUS = "status=requested,accepted,in-progress"
_OPEN = f"Task?code={TASK_CODE}|review&{_STATUS}"
_ALL = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient (``Patient/…``) whom a session may be about."""

    patient: str
    name: str


@dataclass(frozen=True, slots=True)
class Review:
    """One open question. ``why`` says in a few words what it is, ``text`` in a sentence.

    ``about`` names the patients to choose from, or those who wrote what is held. ``sent`` is the
    FHIR dateTime of the first message, and ``when`` the same for people. ``href`` is the page of
    the session, or of the held message, that it is about, below the server's address; ``focus``
    the resource, and ``task`` the question itself. ``candidates`` are the patients among whom
    ``intake.answer_review`` may choose. What asks about a held message has its ``addresses``;
    where it stands for several, ``number`` of them wait for the same.
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in a sentence, and the Task that takes the answer (``Task/…``)."""

    task: str
    text: str


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """A page of them."""

    items: list[Review]
    turns: Turns


async def count_reviews(reader: Reader) -> int:
    """How many questions are open."""
    return (await reader.search(_OPEN, _total="accurate", _count=0)).total or 0


async def list_reviews(reader: Reader, *, cursor: str, dates: Dates) -> ReviewsPage:
    """The page of open questions that a cursor leads to, the newest message first."""
    found = await reader.page(_OPEN, PAGE, cursor, _sort="-authored-on")
    await _learn(reader, found.resources)
    items = [await _review(reader, task, dates) for task in found.resources]
    return ReviewsPage(one_for_each_address(items), found.turns)


def one_for_each_address(reviews: Iterable[Review]) -> list[Review]:
    """One question for all the held messages of the same addresses, where the first was."""
    groups: dict[object, list[Review]] = {}
    for one in reviews:
        groups.setdefault(one.addresses or one.task, []).append(one)
    return [replace(those[0], number=len(those)) for those in groups.values()]


async def all_reviews(reader: Reader, dates: Dates) -> list[Review]:
    """Every open question, the newest message first."""
    tasks = await reader.search_all(_OPEN, _sort="-authored-on")
    await _learn(reader, tasks)
    return [await _review(reader, task, dates) for task in tasks]


async def questions(reader: Reader, focuses: Sequence[str]) -> list[Question]:
    """What is asked about those resources, each with the patients to choose from."""
    found = await reader.search(f"Task?{_STATUS}", focus=",".join(focuses), _count=_ALL)
    await _learn(reader, found.resources)
    return [Question(f"Task/{task['id']}", _sentence(reader, task)) for task in found.resources]


async def _learn(reader: Reader, tasks: Sequence[Resource]) -> None:
    inputs = (entry for task in tasks for entry in task.get("input") or ())
    await reader.learn(
        entry["valueReference"] for entry in inputs if id_in(entry.get("valueReference"), "Patient")
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


async def _review(reader: Reader, task: Resource, dates: Dates) -> Review:
    session = id_in(task.get("focus"), "Encounter")
    own = f"Task/{task['id']}"
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
            Candidate(patient, name_of({"reference": patient}, reader))
            for patient in (candidates(task) if session else ())
        ),
        addresses=() if session else tuple(sorted(await waits_for(reader, task))),
    )
