"""create and conditional create (FHIR R4 §3.1.0.8)."""

from __future__ import annotations

from threadwell.api.answers import location, written
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest.accept import Accepted, accept_body
from threadwell.api.rest.change import Change, created
from threadwell.api.rest.commit import commit, settle
from threadwell.api.rest.conditional import condition_of_create, select
from threadwell.api.rest.replies import sent_from
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id


async def create(context: Context, request: Request) -> Answer:
    """201 with the new resource; 200 with the one that ``If-None-Exist`` found, 412 for several."""
    return await store_new(context, request, await accept_body(context, request, new=True))


async def store_new(context: Context, request: Request, accepted: Accepted) -> Answer:
    """The answer to a create of what was accepted."""
    condition = condition_of_create(request.type, request)
    if condition is None:
        sent = await sent_from(context, request, accepted.resource)
        if sent is not None:
            return sent

    async def decide() -> Change:
        if condition is None:
            return await commit_new(context, request, accepted)
        selected = await select(context, request.type, condition)
        if selected.match:
            return Change(200, selected.match, None)
        return await commit_new(context, request, accepted, selected.query)

    change = await settle(context, decide)
    answer = await written(context, request, change.stored, change.status)
    if change.status == 200:
        answer.headers.append((b"location", location(context, change.stored)))
    return answer


async def commit_new(
    context: Context, request: Request, accepted: Accepted, *unmatched: Query
) -> Change:
    """Write a new resource, if ``unmatched`` match nothing; raises ``Conflict`` if they do."""
    now = context.clock()
    author = request.caller.author
    change = created(accepted.resource, new_id(now), now, author, accepted.content)
    await commit(context, change, *unmatched)
    return change
