"""patch and conditional patch (FHIR R4 §3.1.0.6), by JSON Patch or by FHIRPath Patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from threadwell.api.answers import written
from threadwell.api.body import too_large
from threadwell.api.context import Context
from threadwell.api.etags import check_write
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import content_type_of
from threadwell.api.rest.accept import accept, parse_json
from threadwell.api.rest.change import Change, updated
from threadwell.api.rest.commit import commit, settle
from threadwell.api.rest.conditional import Find, select
from threadwell.api.rest.content import keep_content
from threadwell.api.rest.read import existing
from threadwell.api.rest.replies import sent_by
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import invalid, not_found
from threadwell.fhir.patch import apply_patch, check_operations
from threadwell.fhir.path_patch import apply_path_patch, path_operations
from threadwell.fhir.resource import Resource
from threadwell.stores.aside import aside
from threadwell.stores.contract import Stored

JSON_PATCH = "application/json-patch+json"
#: About how many bytes of JSON are as much work as one operation.
_OPERATION = 50
#: One of FHIRPath is as much work as some of JSON Patch.
_PATH = 20


async def patch(context: Context, request: Request) -> Answer:
    """200 with the version that is current then; nothing is written unless all of it applies."""
    operations = await parse_operations(request)

    async def decide() -> Change:
        current = await context.view.read(context.project, request.type, request.id)
        return await _apply(context, request, operations, existing(current))

    change = await settle(context, decide)
    return await written(context, request, change.stored, change.status)


async def patch_where(context: Context, request: Request) -> Answer:
    """As ``patch``, of the one resource that the query selects; 404 for none, 412 for several."""
    operations = await parse_operations(request)

    async def decide() -> Change:
        selected = await select(context, request.type, request.query)
        if selected.match is None:
            raise not_found()
        return await _apply(context, request, operations, selected.match)

    change = await settle(context, decide)
    return await written(context, request, change.stored, change.status)


async def patched(
    context: Context,
    current: Stored,
    operations: Any,
    now: int,
    author: str,
    *,
    urls: bool = True,
    conditions: bool = True,
    find: Find | None = None,
    version_id: str = "",
) -> Change:
    """The change that the operations make to ``current``; raises 400 where they do not apply, 413
    where the resource would grow beyond what a body may be.

    ``urls``, ``conditions`` and ``find`` as in ``accept``: what is stored has none;
    ``version_id`` as in ``updated``.
    """
    count = len(operations)
    apply: Callable[[Resource, Any], Resource] = _apply_json
    if isinstance(operations, dict):
        apply, count = apply_path_patch, _PATH * len(path_operations(operations))
    size = len(current.body) + _OPERATION * count
    resource = await aside(size, lambda: apply(decode(current.body), operations))
    if resource.get("id") != current.id:
        raise invalid("A patch cannot change the id", f"{current.type}.id")
    accepted = await accept(
        context,
        resource,
        current.type,
        size=size,
        urls=urls,
        conditions=conditions,
        find=find,
        before=current,
    )
    change = await aside(
        size,
        lambda: updated(
            accepted.resource,
            current,
            now,
            author,
            accepted.content,
            version_id,
            patched=True,
        ),
    )
    if change.write and len(change.write.body) > max(context.max_body, len(current.body)):
        raise too_large(context.max_body)
    return await keep_content(context, change)


async def parse_operations(request: Request) -> Any:
    """What the body is to do: a list for a JSON Patch, ``Parameters`` for a FHIRPath Patch.

    The content type tells which it is; JSON of no other name may be either. Raises 415 for any
    other kind of patch, 400 for none.
    """
    value = await parse_json(request, JSON_PATCH)
    kind = content_type_of(request.headers)
    if isinstance(value, dict) and (kind is None or kind.name != JSON_PATCH):
        path_operations(value)
        return value
    return check_operations(value)


def _apply_json(resource: Resource, operations: Any) -> Resource:
    # It was parsed for this alone.
    return apply_patch(resource, operations, own=True)


async def _apply(context: Context, request: Request, operations: Any, current: Stored) -> Change:
    check_write(request, current)
    change = await patched(
        context,
        current,
        operations,
        context.clock(),
        request.caller.author,
        urls=b"storage" in request.body,
        conditions=b"?" in request.body,
    )
    sent = await sent_by(context, request, change)
    if sent is not None:
        return sent
    await commit(context, change)
    return change
