"""Threads that wait for an answer, on the pages: who takes care of each, or gives it to others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from starlette.requests import Request

from threadwell.encounters.names import resource_name
from threadwell.encounters.todo import thread_of_todo
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox import kept
from threadwell.inbox.counting import kept_count, number_of
from threadwell.inbox.dates import Dates
from threadwell.inbox.page import Form, by_whom, first
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.site import Site
from threadwell.inbox.turning import Turns
from threadwell.intake.todos.acting import BadTodo, claim, dismiss, release, reroute
from threadwell.intake.todos.listing import Waiting, waiting_of, waiting_query

#: What the buttons of the form are for.
CLAIM, RELEASE, REROUTE, DISMISS = "claim", "release", "reroute", "dismiss"
ACTS = (CLAIM, RELEASE, REROUTE, DISMISS)
#: Whose threads a list may have: those of whoever looks, and those that nobody has.
MINE, NOBODYS = "mine", "nobodys"
OWNERS = {MINE: "Mine", NOBODYS: "Nobody’s"}

#: Colleagues to choose from.
_MANY = 500
_OPEN = "requested,received,accepted,in-progress,ready,on-hold,draft"


@dataclass(frozen=True, slots=True)
class Care:
    """Who takes care of a thread that waits; ``owner`` is a name, ``""`` where nobody does.

    ``task`` is the id of the Task. ``mine`` is whether it is whoever looks; it is ``late`` where an
    answer was due before now.
    """

    task: str
    owner: str
    mine: bool
    pool: str
    since: str
    due: str
    late: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caring:
    """What a session's page needs for it.

    ``threads`` are those that wait, by the ids of their headers. ``colleagues`` are references and
    names of those whom a thread may be given to. What was typed and could not be done is of the
    ``task``: ``why``, and to ``whom``.
    """

    threads: Mapping[str, Care] = field(default_factory=dict)
    colleagues: tuple[tuple[str, str], ...] = ()
    task: str = ""
    whom: str = ""
    why: str = ""


async def waiting_by_owner(reader: Reader, me: str) -> dict[str, int]:
    """How many threads wait, by ``OWNERS``: those of ``me``, unless it is ``""``, and those that
    nobody has; ``{}`` where it is not kept which threads wait.
    """
    if not await kept.is_tracked(reader):
        return {}
    return {one: await _number(reader, one, me) for one in OWNERS if me or one != MINE}


async def load_caring(
    reader: Reader, headers: Iterable[str], me: str, form: Form, dates: Dates
) -> Caring:
    """Those of the threads (ids of headers) that wait; ``form`` is what ``me`` has sent."""
    threads = await care_in(reader, headers, me, dates)
    if not threads:
        return Caring()
    found = await reader.search("Practitioner?", _sort="family", _count=_MANY)
    people = [
        (f"Practitioner/{one['id']}", resource_name(one))
        for one in found.resources
        if one.get("active") is not False and resource_name(one)
    ]
    typed = (first(form, name) for name in ("task", "owner", "why"))
    return Caring(threads, tuple(people), *typed)


async def care_in(
    reader: Reader, headers: Iterable[str], me: str, dates: Dates, clock: Clock = now_ms
) -> dict[str, Care]:
    """Who takes care of those of the threads (ids of headers) that wait, by these."""
    focus = ",".join(f"Communication/{one}" for one in headers)
    if not focus or not await kept.is_tracked(reader):
        return {}
    tasks = await reader.search_all("Task?code=respond", focus=focus, status=_OPEN)
    found = [waiting_of(one) for one in tasks if thread_of_todo(one) is not None]
    now = clock()
    return {one.thread.removeprefix("Communication/"): _care(one, me, dates, now) for one in found}


class CaredPage(NamedTuple):
    """A page of session encounters with threads that wait; ``total`` is how many wait."""

    encounters: list[Resource]
    total: int
    turns: Turns


async def cared(reader: Reader, whose: str, me: str, cursor: str, count: int) -> CaredPage:
    """The page that a cursor leads to of the sessions whose threads wait, one of ``OWNERS``: what
    has waited longest first.

    It has fewer than ``count`` where several threads of a session wait.
    """
    if whose == MINE and not me:
        return CaredPage([], 0, Turns("", ""))
    query = _query(whose, me)
    page = await reader.open(query, count, cursor)
    links = [one["focus"] for one in page.resources if id_in(one.get("focus"), "Communication")]
    await reader.learn(links)
    headers = [reader.known(one) or {} for one in links]
    sessions = [one["encounter"] for one in headers if id_in(one.get("encounter"), "Encounter")]
    await reader.learn(sessions)
    found = {id_in(one, "Encounter"): reader.known(one) for one in sessions}
    total = await _number(reader, whose, me)
    encounters = [one for one in found.values() if one and one.get("status") != "entered-in-error"]
    return CaredPage(encounters, total, page.turns)


def _query(whose: str, me: str) -> Query:
    return waiting_query(owner=me if whose == MINE else "", unowned=whose == NOBODYS)


async def _number(reader: Reader, whose: str, me: str) -> int:
    return await kept_count(reader, f"{whose} {me}", partial(_count, reader, _query(whose, me)))


async def _count(reader: Reader, query: Query) -> int:
    return await number_of(reader, query)


async def do(site: Site, request: Request, form: Form) -> None:
    """What the button of the form says; raises ``BadTodo``, and ``Contended``."""
    by = by_whom(request)
    if not by.reference:
        raise BadTodo("sign in with a link that names you")
    owner = first(form, "owner") if first(form, "act") == REROUTE else ""
    store = await site.acting(f"Task/{first(form, 'task')}", naming=[owner])
    stand = site.stand(store, by)
    task, why = f"Task/{first(form, 'task')}", " ".join(first(form, "why").split())
    match first(form, "act"):
        case "claim":
            await claim(stand, task, by.reference)
        case "release":
            await release(stand, task, why=why)
        case "reroute":
            await reroute(stand, task, why=why, owner=owner)
        case _:
            await dismiss(stand, task, why=why)


def _care(one: Waiting, me: str, dates: Dates, now: int) -> Care:
    due = dates.moment(one.due)
    late = hasattr(due, "timestamp") and due.timestamp() * 1000 < now  # type: ignore[union-attr]
    return Care(
        one.task.removeprefix("Task/"),
        one.owner_name or ("Somebody" if one.owner else ""),
        bool(me) and one.owner == me,
        one.pool.display or one.pool.code,
        dates.text(one.since),
        dates.text(one.due),
        late,
        one.notes,
    )
