"""delete and conditional delete (FHIR R4 §3.1.0.7)."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.etags import check_write
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.api.rest.change import deleted
from threadwell.api.rest.commit import commit, settle
from threadwell.api.rest.conditional import select
from threadwell.fhir.outcome import not_found
from threadwell.stores.contract import Stored


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
    """200 where the query selects one resource or none, 412 where several, or where a
    precondition does not hold.
    """

    async def decide() -> None:
        selected = await select(context, request.type, request.query)
        if selected.match:
            await _delete(context, request, selected.match)
        else:
            check_write(request, None)

    await settle(context, decide)
    return outcome_answer(200, OK, request.headers)


async def _delete(context: Context, request: Request, current: Stored) -> None:
    check_write(request, current)
    await commit(context, deleted(current, context.clock(), request.caller.author))
