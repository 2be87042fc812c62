"""``GET auth/me``: who the token belongs to, as Medplum's clients ask after a login."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Caller, Request
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import derived_id

PROJECT_NAME = "Threadwell"

_MEMBERSHIP = "https://threadwell.dev/fhir/membership"


async def me(context: Context, request: Request) -> Answer:
    """200 with project, membership, profile, config and access policy; 401 without a token."""
    caller = await context.access.caller(request.headers)
    profile = {"reference": caller.reference, "display": caller.name}
    return json_answer(
        200,
        {
            "project": {
                "resourceType": "Project",
                "id": context.project,
                "name": PROJECT_NAME,
                "strictMode": True,
            },
            "membership": {
                "resourceType": "ProjectMembership",
                "id": derived_id(_MEMBERSHIP, caller.client_id),
                "project": {"reference": f"Project/{context.project}", "display": PROJECT_NAME},
                "user": profile,
                "profile": profile,
                "admin": caller.admin,
            },
            "profile": await _profile(context, caller),
            "config": {"resourceType": "UserConfiguration", "menu": []},
            "accessPolicy": {"resourceType": "AccessPolicy", "resource": _types(caller)},
        },
    )


async def _profile(context: Context, caller: Caller) -> Resource:
    """Whom the caller acts as, whole if they may see that: the client itself, or a person."""
    type_, _, id_ = caller.reference.partition("/")
    if type_ == "ClientApplication":
        return {"resourceType": type_, "id": caller.client_id, "name": caller.name}
    stored = await context.seen_by(caller).view.read(context.project, type_, id_)
    if stored is None or stored.deleted:
        return {"resourceType": type_, "id": id_}
    found: Resource = decode(stored.body)
    return found


def _types(caller: Caller) -> list[Resource]:
    """The types of which the caller may see anything."""
    named = ["*"] if caller.policy is None else sorted(caller.policy.entries)
    return [{"resourceType": type_} for type_ in named]
