"""The thread that a person means who names a Task or a session, as lists show them."""

from __future__ import annotations

from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Reading

_IS_HEADER = MissingFilter("part-of", missing=True)


class NoThread(ValueError):
    """What was named has no thread, or several; the message says so, without any content."""


async def thread_named(store: Reading, project: str, name: str) -> str:
    """The thread header of a Task (``Task/…``) or of a session (``Encounter/…``) of one thread.

    Any other name is that of a header or a message already. Raises ``NoThread`` where there is no
    such resource, or not just one thread.
    """
    key = as_key(name)
    if key.type not in ("Task", "Encounter"):
        return name
    stored = await store.read(project, *key)
    if stored is None or stored.deleted:
        raise NoThread(f"there is no {name}")
    if key.type == "Task":
        focus = target(decode(stored.body), "focus")
        if not focus.startswith("Communication/"):
            raise NoThread(f"{name} is about no thread")
        return focus
    session = ReferenceFilter("encounter", (ReferenceMatch(key.type, key.id, ""),))
    query = Query("Communication", (session, _IS_HEADER))
    bodies: list[Resource] = [decode(one.body) async for one in search_all(store, project, query)]
    headers = [f"Communication/{one['id']}" for one in bodies if circle_of(one) and is_live(one)]
    if not headers:
        raise NoThread(f"{name} has no thread that Threadwell keeps")
    if len(headers) > 1:
        raise NoThread(f"{name} has several threads: say which, {' or '.join(sorted(headers))}")
    return headers[0]
