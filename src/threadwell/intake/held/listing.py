"""What is held: listed for people, and found again for a replay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter, TokenMatch
from threadwell.intake.paging import search_all
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import Store, Stored


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One held message. ``task`` and ``content`` are references (``Task/…``, ``Binary/…``).

    ``reason`` is a code and ``text`` the same for people; ``unknown`` are the addresses that
    nobody is known to have. ``sent`` is a FHIR dateTime, ``""`` where that cannot be known.
    """

    task: str
    content: str
    reason: str
    text: str
    channel: str
    sent: str
    unknown: tuple[Address, ...]


async def quarantine(store: Store, project: str) -> list[Quarantined]:
    """Everything that is held, in the order in which it was."""
    return [quarantined(decode(stored.body)) async for stored in open_held(store, project)]


async def open_held(store: Store, project: str) -> AsyncIterator[Stored]:
    """The Tasks of messages that are held and not done with."""
    held = TokenFilter("code", (TokenMatch(codes.TASK_CODE, "quarantine"),))
    async for stored in search_all(store, project, Query("Task", (held,))):
        if is_waiting(stored):
            yield stored


def is_waiting(task: Stored) -> bool:
    """Whether the message of a Task waits, and nobody has dismissed it by closing the Task."""
    return not task.deleted and is_live(decode(task.body))


def quarantined(task: Resource) -> Quarantined:
    """The held message of a Task."""
    inputs: list[Mapping[str, Any]] = task.get("input") or []

    def of(text: str, value: str) -> list[Any]:
        return [i[value] for i in inputs if i["type"].get("text") == text and value in i]

    content = of("message", "valueReference")
    return Quarantined(
        f"Task/{task['id']}",
        content[0]["reference"] if content else "",
        ((task.get("reasonCode") or {}).get("coding") or [{}])[0].get("code", ""),
        task.get("description", ""),
        next(iter(of("channel", "valueString")), ""),
        task.get("authoredOn", ""),
        tuple(
            Address(AddressKind(point["system"]), point["value"])
            for point in of("unknown", "valueContactPoint")
        ),
    )
