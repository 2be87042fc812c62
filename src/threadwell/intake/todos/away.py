"""Threads whose owner is away by their Schedule go back to their pool.

Somebody is away while a Slot of theirs is ``busy-unavailable``. What goes back says until when, and
goes back once: whoever claims it again while they are away keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent
from threadwell.encounters.identity import Identity
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import DateFilter, Query, ReferenceFilter, Sort, TokenFilter
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.intake.seat import Standing
from threadwell.intake.todos.acting import BadTodo, release
from threadwell.intake.todos.listing import Waiting, waiting_threads
from threadwell.stores.contract import Conflict, Kept, Key, Store

#: Slots of one Schedule that are looked at: those that began last.
_SLOTS = 100
_AWAY = TokenFilter("status", (TokenMatch(None, "busy-unavailable"),))
_BY = Agent("Threadwell")


@dataclass(frozen=True, slots=True)
class Away:
    """That somebody is away: by which Slot (its logical id), and until when (a FHIR dateTime)."""

    slot: str
    until: str


async def give_back(seat: Standing, *, still_held: Callable[[], tuple[Kept, ...]] = tuple) -> int:
    """Give back what those have who are away; how many Tasks went back."""
    store, project = seat.store, seat.project
    count = 0
    known: dict[str, Away | None] = {}
    for one in await waiting_threads(store, project, owned=True):
        if one.owner not in known:
            known[one.owner] = await away_now(store, project, one.owner, seat.clock() * 1000)
        if away := known[one.owner]:
            count += await _give_back(seat, one, away, still_held)
    return count


async def away_now(store: Store, project: str, who: str, now: int) -> Away | None:
    """Whether somebody (``Practitioner/…``) is away at a time, in microseconds since 1970 UTC."""
    key = as_key(who)
    actors = [key]
    if key.type == "PractitionerRole":
        stored = await store.read(project, *key)
        body: Resource = decode(stored.body) if stored and not stored.deleted else {}
        if person := target(body, "practitioner"):
            actors.append(as_key(person))
    matches = tuple(ReferenceMatch(one.type, one.id, "") for one in actors)
    schedules = Query("Schedule", (ReferenceFilter("actor", matches),))
    longest: tuple[int, Away] | None = None
    async for stored in search_all(store, project, schedules):
        if decode(stored.body).get("active") is False:
            continue
        found = await _slot(store, project, stored.id, now)
        if found and (longest is None or found[0] > longest[0]):
            longest = found
    return longest[1] if longest else None


async def _slot(store: Store, project: str, schedule: str, now: int) -> tuple[int, Away] | None:
    """The Slot of a Schedule in which its actor is away, and when it ends."""
    began = DateFilter("start", (DateMatch(Prefix.LE, now, now + 1),))
    of = ReferenceFilter("schedule", (ReferenceMatch("Schedule", schedule, ""),))
    query = Query("Slot", (of, _AWAY, began), sort=(Sort("start", descending=True),), count=_SLOTS)
    longest: tuple[int, Away] | None = None
    for one in (await store.search(project, query)).matches:
        try:
            end = parse_fhir_time(str(decode(one.body).get("end", "")))
        except ValueError:
            continue
        if end > now and (longest is None or end > longest[0]):
            longest = end, Away(one.id, fhir_time(end))
    return longest


async def _give_back(
    seat: Standing, one: Waiting, away: Away, still_held: Callable[[], tuple[Kept, ...]]
) -> bool:
    name = f"{one.task}|{one.since}|{one.owner}|{away.slot}"
    told = Key("Provenance", Identity(codes.TODO, name).id)
    if await seat.store.read(seat.project, *told) is not None:
        return False
    who = one.owner_name or one.owner
    try:
        done = await release(
            replace(seat, by=_BY),
            one.task,
            why=f"{who} is away until {away.until}",
            of=one.owner,
            told=told,
            kept=still_held(),
        )
    except BadTodo:
        return False  # Somebody has answered meanwhile.
    except Conflict as conflict:
        if conflict.key != told:
            raise
        return False
    return done.changed
