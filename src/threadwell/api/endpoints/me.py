"""``GET auth/me``: who the token belongs to, as Medplum's clients ask after a login."""

from __future__ import annotations

from typing import Any

from threadwell.api.admin.memberships import client_membership
from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import whole_login
from threadwell.api.endpoints.auth.own import security_of
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Caller, Request
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.logins.login import Login


async def me(context: Context, request: Request) -> Answer:
    """200 with project, membership, profile, config and access policy; 401 without a token.

    Of a person also where they are signed in, unless their app is from outside or limited.
    """
    caller = await context.access.caller(request.headers)
    profile = {"reference": caller.reference, "display": caller.name}
    login = await _login(context, caller)
    member = login.member if login is not None else None
    name = await context.name()
    told: dict[str, Any] = {
        "project": {
            "resourceType": "Project",
            "id": context.project,
            "name": name,
            "strictMode": True,
        },
        "membership": {
            "resourceType": "ProjectMembership",
            "id": caller.membership
            or (member and member.membership)
            or client_membership(caller.client_id),
            "project": {"reference": f"Project/{context.project}", "display": name},
            "user": {"reference": member.user, "display": caller.name}
            if member and member.user
            else profile,
            "profile": profile,
            "admin": caller.admin,
        },
        "profile": await _profile(context, caller),
        "config": {"resourceType": "UserConfiguration", "menu": []},
        "accessPolicy": {"resourceType": "AccessPolicy", "resource": _types(caller)},
    }
    whole = await whole_login(context, caller)
    if whole is not None and whole.member is not None:
        security = await security_of(context, whole.member)
        if security is not None:
            told["security"] = security
    return json_answer(200, told)


async def _login(context: Context, caller: Caller) -> Login | None:
    is_person = caller.claims is not None and caller.claims.person
    return await context.logins.find(caller.login_id) if is_person else None


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
