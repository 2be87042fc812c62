"""What no client says otherwise of a session that was billed: whom it is about, and its threads.

Billing one Encounter of a session locks all of it: the session encounter, the medical encounters,
the headers, the messages and the Group.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from threadwell.encounters.anchors import OURS, otherwise
from threadwell.encounters.merge import is_live, is_locked
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Reading, Stored, Write

WHY = "Its session has been billed: whom it is about stays as it was billed"

_OURS = OURS.encode()
#: The types whose resources are part of a session.
_TYPES = frozenset({"Communication", "Encounter", "Group"})


def may_be_billed(write: Write) -> bool:
    """Whether ``billed_element`` has anything to look at."""
    before = write.before
    return (
        write.type in _TYPES
        and write.resource is not None
        and before is not None
        and not before.deleted
        and _OURS in before.body
    )


async def billed_element(store: Reading, project: str, write: Write) -> str:
    """The element that a write says otherwise of a billed session, ``""`` for none.

    Raises ``StoreError``.
    """
    before = write.before
    if write.resource is None or before is None or not may_be_billed(write):
        return ""
    there: Resource = decode(before.body)
    element = otherwise(there, write.resource)
    if not element or not is_live(there):
        return ""
    for name in await _sessions(store, project, write.type, write.id, there):
        if await _is_billed(store, project, name):
            return element
    return ""


async def _sessions(
    store: Reading, project: str, type_: str, id_: str, body: Resource
) -> list[str]:
    """The Encounters (``Encounter/…``) by which the resource is part of sessions."""
    if type_ == "Encounter":
        return [f"Encounter/{id_}"]
    if type_ == "Group":
        return [f"Encounter/{one.id}" async for one in _of(store, project, "subject", type_, id_)]
    if parents := body.get("partOf"):
        header = await _read(store, project, str(parents[0].get("reference", "")))
        body = header or {}
    return [name] if (name := target(body, "encounter")) else []


async def _is_billed(store: Reading, project: str, name: str) -> bool:
    """Whether any Encounter of the session of that one is locked."""
    body = await _read(store, project, name)
    if body is None:
        return False
    if whole := target(body, "partOf"):
        name, body = whole, await _read(store, project, whole) or {}
    if is_locked(body):
        return True
    async for part in _of(store, project, "part-of", *as_key(name)):
        if is_locked(decode(part.body)):
            return True
    return False


def _of(store: Reading, project: str, code: str, type_: str, id_: str) -> AsyncIterator[Stored]:
    """The Encounters that refer to a resource so."""
    match = ReferenceMatch(type_, id_, "")
    return search_all(store, project, Query("Encounter", (ReferenceFilter(code, (match,)),)))


async def _read(store: Reading, project: str, name: str) -> Resource | None:
    stored = await store.read(project, *as_key(name)) if "/" in name else None
    return None if stored is None or stored.deleted else decode(stored.body)
