"""Read, decide, commit; and again where the store has moved on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from threadwell.api.context import Context
from threadwell.api.rest.billed import refuse_billed, rested_on_bills
from threadwell.api.rest.change import Change
from threadwell.api.rest.detailed import refuse_foreign
from threadwell.api.rest.pointing import refuse_dangling
from threadwell.api.rest.unsent import refuse_unsent
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.search.query import Query
from threadwell.intake.billed import may_be_billed
from threadwell.intake.details import may_be_foreign
from threadwell.stores.contract import ChangeSet, Conflict, Key, Unchanged, Unmatched
from threadwell.stores.resting import Resting

T = TypeVar("T")

#: Decisions made anew before a request gives up, and the seconds for which it goes on if these took
#: less: what a small one rests on may change many times a second.
ATTEMPTS, _GOES_ON = 10, 2.0


async def commit(context: Context, change: Change, *unmatched: Query) -> None:
    """Write the change, if ``unmatched`` still match nothing; raises ``Conflict``."""
    if write := change.write:
        own = (Key(write.type, write.id),)
        rests: tuple[Unchanged, ...] = ()
        # Most writes have nothing to do with these, and rest on nothing.
        if may_be_billed(write):
            bills = rested_on_bills(context)
            await refuse_billed(bills, context.project, write)
            rests = bills.rests(own)
        await refuse_unsent(context, write)
        await refuse_dangling(context, write)
        if may_be_foreign(write):
            seen = Resting(context.view)
            await refuse_foreign(seen, context.project, write)
            rests = (*rests, *seen.rests(own))
        guards = tuple([Unmatched(query) for query in unmatched])
        await context.view.commit(context.project, ChangeSet((write,), guards, rests))


async def settle(context: Context, decide: Callable[[], Awaitable[T]]) -> T:
    """What ``decide`` did, called again after each ``Conflict``; 409 after ``ATTEMPTS``, and no
    sooner than after ``_GOES_ON``.

    A decision that a precondition forbids by now raises its 412 when it is made again.
    """
    try:
        return await decide()
    except Conflict as lost:
        turn = context.turns.of(lost.key)
    async with turn:
        attempts, until = 1, monotonic() + _GOES_ON
        while attempts < ATTEMPTS or monotonic() < until:
            attempts += 1
            try:
                return await decide()
            except Conflict:
                # A store in memory would let nobody else go on.
                await asyncio.sleep(0)
    raise FhirError(409, [Issue("conflict", "Conflict: please try again")], "conflict")
