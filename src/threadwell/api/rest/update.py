"""update and conditional update (FHIR R4 §3.1.0.4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from threadwell.access.view import Whole
from threadwell.api.answers import written
from threadwell.api.context import Context
from threadwell.api.etags import check_write
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest.accept import Accepted, accept_body
from threadwell.api.rest.change import Change, created, updated
from threadwell.api.rest.commit import commit, settle
from threadwell.api.rest.conditional import select
from threadwell.api.rest.content import keep_content
from threadwell.api.rest.create import commit_new
from threadwell.api.rest.replies import sent_by
from threadwell.fhir.outcome import FhirError, invalid, not_found
from threadwell.fhir.resource import Resource
from threadwell.stores.aside import aside
from threadwell.stores.contract import Stored

#: What is accepted to follow a version, if there is one.
Accept: TypeAlias = Callable[[Stored | None], Awaitable[Accepted]]


async def update(context: Context, request: Request) -> Answer:
    """200 with the version that is current then; 404 for an id that was never there, or 201 where
    the practice allows that.

    400 unless the body has the URL's id, 412 where a precondition does not hold.
    """

    async def accept(before: Stored | None) -> Accepted:
        accepted = await accept_body(context, request, before=before)
        check_id(accepted.resource, request.id)
        return accepted

    return await store_version(context, request, accept)


async def store_version(context: Context, request: Request, accept: Accept) -> Answer:
    """The answer to an update of ``request.id`` by what is accepted to follow a version of it."""
    ahead = await _ahead(context, request, accept)

    async def decide() -> Change:
        current = await context.view.read(context.project, request.type, request.id)
        accepted = ahead or await accept(current)
        if current is None:
            return await _create(context, request, accepted)
        return await _replace(context, request, accepted, current)

    change = await settle(context, decide)
    return await written(context, request, change.stored, change.status)


async def update_where(context: Context, request: Request) -> Answer:
    """201 where the query selects nothing, 200 where it selects one, 412 where several."""

    async def accept(before: Stored | None) -> Accepted:
        return await accept_body(context, request, before=before)

    ahead = await _ahead(context, request, accept)

    async def decide() -> Change:
        selected = await select(context, request.type, request.query)
        accepted = ahead or await accept(selected.match)
        if selected.match:
            if "id" in accepted.resource:
                check_id(accepted.resource, selected.match.id)
            return await _replace(context, request, accepted, selected.match)
        check_write(request, None)
        check_unnamed(accepted.resource)
        return await commit_new(context, request, accepted, selected.query)

    change = await settle(context, decide)
    return await written(context, request, change.stored, change.status)


def check_id(resource: Resource, id_: str) -> None:
    """Raise 400 unless the resource has that id."""
    if resource.get("id") != id_:
        raise _id_error(resource, "The id in the body must be the one in the URL")


def check_unnamed(resource: Resource) -> None:
    """Raise 400 if the client chose an id for what would be a new resource."""
    if "id" in resource:
        raise _id_error(resource, "A new resource gets its id from the server")


async def may_create(context: Context) -> bool:
    """Whether an update may make a resource. Not by whom a policy limits: what is hidden from them
    would be told by the refusal.
    """
    return isinstance(context.view, Whole) and (await context.allows()).update_create


async def _ahead(context: Context, request: Request, accept: Accept) -> Accepted | None:
    """What is accepted before anything is read, as it is for whom nothing is put back into it."""
    return None if context.view.keeps(request.type) else await accept(None)


async def _create(context: Context, request: Request, accepted: Accepted) -> Change:
    if not await may_create(context):
        raise not_found()
    check_write(request, None)
    now, author = context.clock(), request.caller.author
    change = created(accepted.resource, request.id, now, author, accepted.content)
    await commit(context, change)
    return change


async def _replace(
    context: Context, request: Request, accepted: Accepted, current: Stored
) -> Change:
    check_write(request, current)
    now, author = context.clock(), request.caller.author
    change = await aside(
        len(request.body),
        lambda: updated(accepted.resource, current, now, author, accepted.content),
    )
    change = await keep_content(context, change)
    sent = await sent_by(context, request, change)
    if sent is not None:
        return sent
    await commit(context, change)
    return change


def _id_error(resource: Resource, text: str) -> FhirError:
    return invalid(text, f"{resource['resourceType']}.id")
