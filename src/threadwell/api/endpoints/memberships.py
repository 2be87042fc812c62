"""Accounts as Medplum's clients know them: User and ProjectMembership, for those who may invite.

They are no FHIR resources here, and are only read: commands, ``invite`` and the pages change them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from threadwell.access.memberships import find_membership
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE, forbidden
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import invalid, not_found
from threadwell.fhir.stamp import instant
from threadwell.projects.registry import project_name
from threadwell.stores.contract import Store
from threadwell.users.keeping import find_user, users
from threadwell.users.user import Member, User

_MOST = 1_000


async def as_membership(store: Store, project: str, user: User, member: Member) -> dict[str, Any]:
    """A ProjectMembership: of which project, whose, as whom, and what they may see."""
    given = await find_membership(store, project, member.profile)
    out: dict[str, Any] = {
        "resourceType": "ProjectMembership",
        "id": member.id,
        "meta": {"lastUpdated": instant(member.created)},
        "project": {
            "reference": f"Project/{project}",
            "display": await project_name(store, project),
        },
        "user": {"reference": f"User/{user.id}", "display": user.email},
        "profile": {"reference": member.profile, "display": user.name},
        "admin": member.admin,
        "active": not user.disabled,
    }
    access = [
        {
            "policy": {"reference": f"AccessPolicy/{grant.policy}"},
            **(
                {"parameter": [_parameter(*one) for one in grant.parameters.items()]}
                if grant.parameters
                else {}
            ),
        }
        for grant in (given.grants if given else ())
    ]
    if access:
        out["access"] = access
        out["accessPolicy"] = access[0]["policy"]
    return out


def as_user(user: User) -> dict[str, Any]:
    """A User, without anything by which somebody could come in as them."""
    return {
        "resourceType": "User",
        "id": user.id,
        "meta": {"lastUpdated": instant(user.created)},
        "firstName": user.first,
        "lastName": user.last,
        "email": user.email,
        "mfaEnrolled": user.factor is not None,
    }


async def read(context: Context, request: Request) -> Answer:
    """``GET fhir/R4/User/{id}`` and ``ProjectMembership/{id}``."""
    await _admin(context, request)
    type_, _, id_ = request.path.removeprefix("fhir/R4/").partition("/")
    if type_ == "User":
        user = await find_user(context.whole, id_)
        if user is None or user.member(context.project) is None:
            raise not_found()
        return _answer(as_user(user))
    for user in await users(context.whole, context.project):
        for member in user.members:
            if member.id == id_ and member.project == context.project:
                return _answer(await as_membership(context.whole, context.project, user, member))
    raise not_found()


async def search(context: Context, request: Request) -> Answer:
    """``GET fhir/R4/User`` and ``ProjectMembership``: all, or by address, user, profile."""
    await _admin(context, request)
    type_ = request.path.removeprefix("fhir/R4/")
    wanted = _wanted(type_, request.query)
    found: list[dict[str, Any]] = []
    for user in await users(context.whole, context.project):
        if type_ == "User":
            found.append(as_user(user))
            continue
        found += [
            await as_membership(context.whole, context.project, user, member)
            for member in user.members
            if member.project == context.project
        ]
    matches = [one for one in found if all(_matches(one, *pair) for pair in wanted.items())]
    entries = [
        {
            "fullUrl": f"{context.fhir}/{type_}/{one['id']}",
            "search": {"mode": "match"},
            "resource": one,
        }
        for one in matches[:_MOST]
    ]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    bundle["total"] = len(matches)
    if entries:
        bundle["entry"] = entries
    return _answer(bundle)


def _wanted(type_: str, query: str) -> Mapping[str, str]:
    known = {"User": ("_id", "email")}.get(type_, ("_id", "user", "profile", "project"))
    wanted: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in ("_count", "_sort", "_total", "_fields", "_offset"):
            continue
        if name not in known:
            raise invalid(f"Unknown search parameter: {name}")
        wanted[name] = value
    return wanted


def _matches(one: Mapping[str, Any], name: str, value: str) -> bool:
    if name == "_id":
        return bool(one["id"] == value)
    if name == "email":
        return bool(one["email"] == value.strip().lower())
    return bool(one[name]["reference"] == value)


async def _admin(context: Context, request: Request) -> None:
    caller = await context.access.caller(request.headers)
    if not caller.admin or caller.policy is not None:
        raise forbidden()


def _parameter(name: str, value: str) -> dict[str, Any]:
    if "/" in value:
        return {"name": name, "valueReference": {"reference": value}}
    return {"name": name, "valueString": value}


def _answer(body: Mapping[str, Any]) -> Answer:
    return Answer(200, [JSON, PRIVATE], encode(body))
