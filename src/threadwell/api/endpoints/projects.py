"""``admin/projects/{id}``: a project with its members, and what is changed of one."""

from __future__ import annotations

from threadwell.api.admin import answering, memberships
from threadwell.api.admin import project as own
from threadwell.api.admin.kind import Kind
from threadwell.api.admin.project_values import MEMBERS, keep_values, kept_values
from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.outcome import FhirError, Issue, invalid, not_found


async def project(context: Context, request: Request) -> Answer:
    """200 with the project and who is of it, for administrators (403): with what it keeps for apps,
    which nothing else shows.
    """
    await _own(context, request)
    found = await own.find(context, context.project)
    members = [
        {**one, "role": "admin" if one["admin"] else "member"}
        for one in await memberships.every(context)
    ]
    values = await kept_values(context)
    return json_answer(200, {"project": {**(found or {}), **values}, "members": members})


async def keep(context: Context, request: Request) -> Answer:
    """``secrets``, ``settings`` or ``sites``: a list that takes the place of the one before."""
    await _own(context, request)
    try:
        given = decode(request.body)
    except BadJson as error:
        raise invalid(f"Content could not be parsed: {error}") from None
    await keep_values(context, MEMBERS[request.path.split("/")[3]], given)
    await answering.changed(context, request, request.path)
    return outcome_answer(200, OK, request.headers)


async def read(context: Context, request: Request) -> Answer:
    """``members/{id}``: a membership."""
    await _own(context, request)
    return await answering.read(context, _as_resource(request, memberships.KIND))


async def update(context: Context, request: Request) -> Answer:
    """``members/{id}``: as the body says."""
    await _own(context, request)
    return await answering.update(context, _as_resource(request, memberships.KIND))


async def delete(context: Context, request: Request) -> Answer:
    """``members/{id}``: they come in no more."""
    await _own(context, request)
    return await answering.delete(context, _as_resource(request, memberships.KIND))


async def no_bots(context: Context, request: Request) -> Answer:
    """There are none, and an app that asks for one is told so."""
    await _own(context, request)
    text = "There are no bots: what acts by itself is a rule, or a client of its own"
    raise FhirError(501, [Issue("not-supported", text)])


async def _own(context: Context, request: Request) -> None:
    await answering.allowed(context, request)
    if request.path.split("/")[2] != context.project:
        raise not_found()


def _as_resource(request: Request, kind: Kind) -> Request:
    request.path = f"fhir/R4/{kind.type}/{request.path.split('/')[4]}"
    return request
