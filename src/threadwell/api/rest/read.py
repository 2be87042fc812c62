"""read and vread (FHIR R4 §3.1.0.2–3)."""

from __future__ import annotations

from threadwell.api.answers import ONCE, resource
from threadwell.api.attachments import ATTACHED
from threadwell.api.context import Context
from threadwell.api.etags import check_read, not_modified
from threadwell.api.exchange import Answer, Header, Request
from threadwell.api.outcomes import PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest import elements
from threadwell.fhir.outcome import gone, not_found
from threadwell.stores.contract import Stored


async def read(context: Context, request: Request) -> Answer:
    """The current version; 404 if there never was one, 410 if it was deleted."""
    stored = await context.view.read(context.project, request.type, request.id)
    return await _answer(context, request, stored)


async def vread(context: Context, request: Request) -> Answer:
    """One version; 404 if there is none of that id, 410 if it is a deletion."""
    stored = await context.view.read_version(
        context.project, request.type, request.id, request.version
    )
    return await _answer(context, request, stored)


def existing(stored: Stored | None) -> Stored:
    """The version if there is something to show; raises 404 or 410."""
    if stored is None:
        raise not_found()
    if stored.deleted:
        raise gone()
    return stored


async def _answer(context: Context, request: Request, stored: Stored | None) -> Answer:
    version = existing(stored)
    check_read(request, version)
    if context.view.hides(request.type):
        return await _shown(context, request, version, ONCE)
    # An attachment's URL expires, so what a cache holds may be of no use any more.
    if not_modified(request, version.version_id, version.updated) and ATTACHED not in version.body:
        answer = await resource(context, request, version, 304)
        return answer._replace(body=b"")
    return await _shown(context, request, version)


async def _shown(
    context: Context, request: Request, version: Stored, caching: Header = PRIVATE
) -> Answer:
    answer = await resource(context, request, version, caching=caching)
    if request.query:
        wanted = elements.wanted(request.type, parse_params(request.query))
        if wanted:
            (body,) = await elements.subsets([answer.body], wanted)
            return answer._replace(body=body)
    return answer
