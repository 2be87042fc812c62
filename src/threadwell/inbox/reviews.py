"""The questions that a person has to answer, as the pages and the command show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from threadwell.encounters.codes import TASK_CODE
from threadwell.fhir.resource import Resource
from threadwell.inbox.names import concept_text, name_of
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.words import clock_time, moment, short_day

#: Questions on a page.
PAGE = 50

_OPEN = f"Task?code={TASK_CODE}|review&status=requested,accepted,in-progress"
_ALL = 1000


@dataclass(frozen=True, slots=True)
class Review:
    """One open question. ``why`` says in a few words what it is, ``text`` in a sentence.

    ``about`` names the patients to choose from, or ``""``. ``when`` is the time of the first
    message. ``href`` is the page of the session, or of the held message, that it is about, below
    the server's address; ``focus`` the resource, and ``task`` the question itself.
    """

    task: str
    why: str
    text: str
    about: str
    when: str
    focus: str
    href: str


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """A page of them."""

    items: list[Review]
    more: bool


async def count_reviews(reader: Reader) -> int:
    """How many questions are open."""
    return (await reader.search(_OPEN, _total="accurate", _count=0)).total or 0


async def list_reviews(
    reader: Reader, *, page: int, zone: ZoneInfo, count: int = PAGE
) -> ReviewsPage:
    """Page ``page`` (from 1) of the open questions, the newest message first."""
    found = await reader.search(
        _OPEN, _sort="-authored-on", _count=count, _offset=(page - 1) * count
    )
    await reader.learn(
        entry.get("valueReference") for task in found.resources for entry in task.get("input") or ()
    )
    return ReviewsPage([_review(reader, task, zone) for task in found.resources], found.more)


async def all_reviews(reader: Reader, zone: ZoneInfo) -> list[Review]:
    """Every open question, the newest message first."""
    out: list[Review] = []
    more, page = True, 1
    while more:
        found = await list_reviews(reader, page=page, zone=zone, count=_ALL)
        out += found.items
        more, page = found.more, page + 1
    return out


def _review(reader: Reader, task: Resource, zone: ZoneInfo) -> Review:
    session = id_in(task.get("focus"), "Encounter")
    when = moment(task.get("authoredOn"), zone)
    candidates = [
        name_of(entry["valueReference"], reader)
        for entry in task.get("input") or ()
        if entry["type"].get("text") == "candidate" and "valueReference" in entry
    ]
    own = f"Task/{task['id']}"
    return Review(
        task=own,
        why=concept_text(task.get("reasonCode")) or "A question is open",
        text=task.get("description", ""),
        about=" or ".join(candidates),
        when=f"{short_day(when)}, {clock_time(when)}" if isinstance(when, datetime) else "",
        focus=f"Encounter/{session}" if session else own,
        href=f"/sessions/{session}" if session else f"/quarantine/{task['id']}",
    )
