"""delete and conditional delete (FHIR R4 §3.1.0.7)."""

from __future__ import annotations

from dataclasses import replace

from threadwell.api.context import Context
from threadwell.api.etags import check_write
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.api.rest.change import deleted
from threadwell.api.rest.commit import commit, settle
from threadwell.api.rest.conditional import condition, select
from threadwell.api.rest.unsent import refuse_unsent
from threadwell.fhir.outcome import FhirError, Issue, not_found
from threadwell.stores.allowed import MOST_DELETED
from threadwell.stores.contract import ChangeSet, Stored


async def delete(context: Context, request: Request) -> Answer:
    """200, also where it was deleted before; 404 for an id that was never there."""

    async def decide() -> None:
        current = await context.view.read(context.project, request.type, request.id)
        if current is None:
            raise not_found()
        await _delete(context, request, current)

    await settle(context, decide)
    return outcome_answer(200, OK, request.headers)


async def delete_where(context: Context, request: Request) -> Answer:
    """200 where the query selects one resource or none, 412 where several and the practice does
    not allow that, or where a precondition does not hold.
    """

    async def decide() -> None:
        if (await context.allows()).delete_several:
            await _delete_all(context, request)
            return
        selected = await select(context, request.type, request.query)
        if selected.match:
            await _delete(context, request, selected.match)
        else:
            check_write(request, None)

    await settle(context, decide)
    return outcome_answer(200, OK, request.headers)


async def _delete_all(context: Context, request: Request) -> None:
    """Delete whatever the query selects, all at once."""
    query = replace(condition(context, request.type, request.query), count=MOST_DELETED)
    page = await context.view.search(context.project, query)
    if page.more:
        text = f"The query selects more than {MOST_DELETED:,}: nothing is deleted"
        raise FhirError(412, [Issue("too-costly", text)])
    if not page.matches:
        check_write(request, None)
    now, author = context.clock(), request.caller.author
    writes = []
    for current in page.matches:
        check_write(request, current)
        if write := deleted(current, now, author).write:
            await refuse_unsent(context, write)
            writes.append(write)
    if writes:
        await context.view.commit(context.project, ChangeSet(tuple(writes)))


async def _delete(context: Context, request: Request, current: Stored) -> None:
    check_write(request, current)
    await commit(context, deleted(current, context.clock(), request.caller.author))
