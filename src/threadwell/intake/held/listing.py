"""What is held: listed for people, and found again for a replay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.paging import search_all
from threadwell.intake.people.question import writers
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import Store, Stored

#: The code of messages that may be there already, come by another way.
TWIN = "suspected-duplicate"
#: The code of messages that wait for what is said of shared addresses.
SHARED = "shared-address"
_HELD = (codes.TASK_CODE, "quarantine")
_IS_HELD = TokenFilter("code", (TokenMatch(*_HELD),))
#: Every status of a Task that is not closed.
_LIVE = ("draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One held message. ``task`` and ``content`` are references (``Task/…``, ``Binary/…``).

    ``reason`` is a code and ``text`` the same for people; ``unknown`` are the addresses that
    nobody is known to have, ``shared`` those of which nobody has said who uses them. ``sent`` is a
    FHIR dateTime, ``""`` where that cannot be known. ``twin`` is the message (``Communication/…``)
    that it may be, come by another way.
    """

    task: str
    content: str
    reason: str
    text: str
    channel: str
    sent: str
    unknown: tuple[Address, ...]
    shared: tuple[Address, ...] = ()
    twin: str = ""


async def quarantine(store: Store, project: str) -> list[Quarantined]:
    """Everything that is held, in the order in which it was."""
    return [quarantined(decode(stored.body)) async for stored in open_held(store, project)]


async def open_held(store: Store, project: str) -> AsyncIterator[Stored]:
    """The Tasks of messages that are held and not done with; those that are cost nothing."""
    live = TokenFilter("status", tuple(TokenMatch(None, one) for one in _LIVE))
    async for stored in search_all(store, project, Query("Task", (live, _IS_HELD))):
        if is_waiting(stored):
            yield stored


async def all_held(store: Store, project: str) -> AsyncIterator[Stored]:
    """The Tasks of messages that are held, or were closed with an answer: who wrote.

    That may not have been taken yet.
    """
    async for stored in search_all(store, project, Query("Task", (_IS_HELD,))):
        if is_waiting(stored) or is_answered(stored):
            yield stored


def is_answered(task: Stored) -> bool:
    """Whether somebody has closed a Task with an answer: who wrote its message."""
    if task.deleted or b'"output"' not in task.body:
        return False
    body = decode(task.body)
    return bool(writers(body)) and quarantined(body).reason == SHARED


def is_held(task: Stored) -> bool:
    """Whether it is the Task of a message that was ever held."""
    if task.deleted:
        return False
    codings = (decode(task.body).get("code") or {}).get("coding") or ()
    return any((c.get("system"), c.get("code")) == _HELD for c in codings)


def is_waiting(task: Stored) -> bool:
    """Whether the message of a Task waits, and nobody has dismissed it by closing the Task."""
    return not task.deleted and is_live(decode(task.body))


def quarantined(task: Resource) -> Quarantined:
    """The held message of a Task."""
    inputs: list[Mapping[str, Any]] = task.get("input") or []

    def of(text: str, value: str) -> list[Any]:
        return [i[value] for i in inputs if i["type"].get("text") == text and value in i]

    def addresses(text: str) -> tuple[Address, ...]:
        points = of(text, "valueContactPoint")
        return tuple(Address(AddressKind(one["system"]), one["value"]) for one in points)

    content = of("message", "valueReference")
    return Quarantined(
        f"Task/{task['id']}",
        content[0]["reference"] if content else "",
        ((task.get("reasonCode") or {}).get("coding") or [{}])[0].get("code", ""),
        task.get("description", ""),
        next(iter(of("channel", "valueString")), ""),
        task.get("authoredOn", ""),
        addresses("unknown"),
        addresses("shared"),
        str((task.get("focus") or {}).get("reference", "")),
    )
