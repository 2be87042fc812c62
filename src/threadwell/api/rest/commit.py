"""Read, decide, commit; and again where the store has moved on meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from threadwell.api.context import Context
from threadwell.api.rest.billed import refuse_billed
from threadwell.api.rest.change import Change
from threadwell.api.rest.detailed import refuse_foreign
from threadwell.api.rest.pointing import refuse_dangling
from threadwell.api.rest.unsent import refuse_unsent
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import ChangeSet, Conflict, Unmatched

T = TypeVar("T")

#: Decisions made anew before a request gives up.
ATTEMPTS = 10


async def commit(context: Context, change: Change, *unmatched: Query) -> None:
    """Write the change, if ``unmatched`` still match nothing; raises ``Conflict``."""
    if change.write:
        await refuse_billed(context, change.write)
        await refuse_unsent(context, change.write)
        await refuse_dangling(context, change.write)
        await refuse_foreign(context, change.write)
        guards = tuple(Unmatched(query) for query in unmatched)
        await context.view.commit(context.project, ChangeSet((change.write,), guards))


async def settle(context: Context, decide: Callable[[], Awaitable[T]]) -> T:
    """What ``decide`` did, called again after each ``Conflict``; 409 after ``ATTEMPTS``.

    A decision that a precondition forbids by now raises its 412 when it is made again.
    """
    try:
        return await decide()
    except Conflict as lost:
        turn = context.turns.of(lost.key)
    async with turn:
        for _ in range(ATTEMPTS - 1):
            try:
                return await decide()
            except Conflict:
                continue
    raise FhirError(409, [Issue("conflict", "Conflict: please try again")], "conflict")
