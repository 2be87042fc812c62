"""``GET auth/me``: who the token belongs to, as Medplum's clients ask after a login."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
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
            "profile": {
                "resourceType": "ClientApplication",
                "id": caller.client_id,
                "name": caller.name,
            },
            "config": {"resourceType": "UserConfiguration", "menu": []},
            "accessPolicy": {"resourceType": "AccessPolicy", "resource": [{"resourceType": "*"}]},
        },
    )
