"""The threads that wait for an answer, for whoever looks: commands, pages, Python."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from threadwell.encounters import codes
from threadwell.encounters.times import parse_fhir_time
from threadwell.encounters.todo import OPEN, Pool, is_open, thread_of_todo
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    Filter,
    MissingFilter,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
)
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.intake.todos.acting import pool_of
from threadwell.stores.contract import Reading, Stored

#: Those that are open have one of these.
_WAITING = TokenFilter("status", tuple(TokenMatch(None, one) for one in sorted(OPEN)))
_CODE = TokenFilter("code", (TokenMatch(codes.TASK_CODE, "respond"),))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thread that waits for an answer.

    ``task``, ``thread`` (the header), ``message`` (the first that waits), ``subject`` and
    ``owner`` are references, ``""`` where there is none. ``since`` and ``due`` are FHIR
    ``dateTime``.
    """

    task: str
    thread: str
    message: str
    subject: str
    status: str
    owner: str
    owner_name: str
    pool: Pool
    since: str
    due: str
    priority: str
    notes: tuple[str, ...]


async def waiting_threads(
    store: Reading,
    project: str,
    *,
    owner: str = "",
    pool: str = "",
    unowned: bool = False,
    owned: bool = False,
) -> list[Waiting]:
    """The threads that wait, the one that is due first at the beginning.

    Those of an ``owner`` (``Practitioner/…``), those ``owned`` or ``unowned``, those of a ``pool``
    (``SYSTEM|CODE``).
    """
    query = waiting_query(owner=owner, pool=pool, unowned=unowned, owned=owned)
    found = [waiting_of(decode(one.body)) async for one in search_all(store, project, query)]
    return sorted(found, key=lambda one: (_time(one.due), one.task))


def waiting_query(
    *, owner: str = "", pool: str = "", unowned: bool = False, owned: bool = False
) -> Query:
    """The search for the Tasks of those threads, the one that has waited longest first.

    Stores keep Tasks in that order, so a page of them costs the same however many there are.
    """
    filters: list[Filter] = [_CODE, _WAITING]
    if owner:
        key = as_key(owner)
        filters.append(ReferenceFilter("owner", (ReferenceMatch(key.type, key.id, ""),)))
    if unowned or owned:
        filters.append(MissingFilter("owner", missing=unowned))
    if pool:
        system, _, code = pool.rpartition("|")
        filters.append(TokenFilter("performer", (TokenMatch(system or None, code),)))
    return Query("Task", tuple(filters), (Sort("authored-on"),))


async def waiting_tasks(store: Reading, project: str) -> AsyncIterator[Stored]:
    """The Tasks of all threads that wait."""
    async for stored in search_all(store, project, Query("Task", (_CODE, _WAITING))):
        if thread_of_todo(decode(stored.body)) is not None:
            yield stored


async def todo_of_thread(store: Reading, project: str, header: str) -> Waiting | None:
    """The Task of a thread that waits, by a header of it (``Communication/…``), if it does."""
    key = as_key(header)
    focus = ReferenceFilter("focus", (ReferenceMatch(key.type, key.id, ""),))
    async for stored in search_all(store, project, Query("Task", (_CODE, focus))):
        body: Resource = decode(stored.body)
        if thread_of_todo(body) is not None and is_open(body):
            return waiting_of(body)
    return None


def waiting_of(task: Resource) -> Waiting:
    """What a Task tells."""
    owner = task.get("owner") or {}
    period = (task.get("restriction") or {}).get("period") or {}
    return Waiting(
        f"Task/{task['id']}",
        target(task, "focus"),
        target(task, "reasonReference"),
        target(task, "for"),
        str(task["status"]),
        str(owner.get("reference", "")),
        str(owner.get("display", "")),
        pool_of(task),
        str(task.get("authoredOn", "")),
        str(period.get("end", "")),
        str(task.get("priority", "routine")),
        tuple(str(one.get("text", "")) for one in task.get("note") or ()),
    )


def _time(text: str) -> int:
    try:
        return parse_fhir_time(text) if text else 0
    except ValueError:
        return 0
