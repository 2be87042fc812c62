"""``ProjectMembership``: who is of the project, as whom, and what they may see.

People have one for each profile of their account, clients one each. What is changed of ``access``
and ``accessPolicy`` holds for their next request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from threadwell.access.memberships import Grant, Membership, find_membership, remove_membership
from threadwell.access.reading import BadPolicy
from threadwell.api.admin.bodies import only, reference, same
from threadwell.api.admin.kind import Kind, member, versioned
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.oauth.clients import Client, change_client, find_client, list_clients
from threadwell.api.oauth.granting import give
from threadwell.fhir.outcome import invalid, not_found
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import derived_id, instant
from threadwell.logins import endings
from threadwell.projects.registry import project_name
from threadwell.stores.contract import Store
from threadwell.users.changing import leave, set_disabled
from threadwell.users.inviting import default_role, kept_policy
from threadwell.users.keeping import change_user, find_user, user_of_member, users
from threadwell.users.user import Member, User

TYPE = "ProjectMembership"
_CLIENT, _POLICY = "ClientApplication", "AccessPolicy/"
_OF_CLIENT = "https://threadwell.dev/fhir/membership"
_MEMBERS = ("project", "user", "profile", "admin", "active", "access", "accessPolicy")
_MOST = 20


async def as_membership(store: Store, project: str, user: User, one: Member) -> Resource:
    """The membership of somebody who has an account."""
    told = {
        "resourceType": TYPE,
        "id": one.id,
        "project": {
            "reference": f"Project/{project}",
            "display": await project_name(store, project),
        },
        "user": {"reference": f"User/{user.id}", "display": user.email},
        "profile": {"reference": one.profile, "display": user.name},
        "admin": one.admin,
        "active": not user.disabled,
    }
    return await _with_access(store, project, one.profile, told, instant(one.created))


async def of_client(store: Store, project: str, client: Client) -> Resource:
    """The membership of a client."""
    own = {"reference": f"{_CLIENT}/{client.id}", "display": client.name}
    told = {
        "resourceType": TYPE,
        "id": client_membership(client.id),
        "project": {
            "reference": f"Project/{project}",
            "display": await project_name(store, project),
        },
        "user": own,
        "profile": own,
        "admin": client.admin,
        "active": client.active,
    }
    return await _with_access(store, project, own["reference"], told, instant(client.created))


async def _project(store: Store, project: str) -> Resource:
    return {"reference": f"Project/{project}", "display": await project_name(store, project)}


def client_membership(client_id: str) -> str:
    """The id of the membership of a client."""
    return derived_id(_OF_CLIENT, client_id)


async def find(context: Context, id_: str) -> Resource | None:
    """The membership of that id."""
    store, project = context.whole, context.project
    found = await user_of_member(store, project, id_)
    if found is not None:
        return await as_membership(store, project, *found)
    for client in await list_clients(store, project):
        if client_membership(client.id) == id_:
            return await of_client(store, project, client)
    return None


async def every(context: Context) -> list[Resource]:
    """All, those of people first."""
    store, project = context.whole, context.project
    return [
        *[
            await as_membership(store, project, user, one)
            for user in await users(store, project)
            for one in user.members
            if one.project == project
        ],
        *[await of_client(store, project, one) for one in await list_clients(store, project)],
    ]


async def update(context: Context, _: Request, current: Resource, body: Resource) -> Resource:
    """What they may see, whether they may register others, and whether they may come in.

    Whose it is and as whom cannot be changed. One of a person that names no policy has the role of
    those who are cared for, if they are; else it allows everything, as Medplum's does.
    """
    only(body, TYPE, _MEMBERS)
    same(body, current, TYPE, ("project", "user", "profile"))
    who = current["profile"]["reference"]
    admin, active = _flag(body, "admin", current), _flag(body, "active", current)
    await _give(context, who, body)
    if who.startswith(f"{_CLIENT}/"):
        await _change_client(context, who.partition("/")[2], admin=admin, active=active)
    else:
        await _change_person(context, current["id"], admin=admin, active=active)
    changed = await find(context, current["id"])
    if changed is None:
        raise not_found()
    return changed


async def delete(context: Context, _: Request, current: Resource) -> None:
    """They come in no more. What they could see stays with whom they act as, for links."""
    found = await user_of_member(context.whole, context.project, current["id"])
    if found is None:
        raise invalid("A client ends with its ClientApplication", TYPE)
    await leave(context.whole, context.project, found[0], found[1], context.clock)


async def _with_access(
    store: Store, project: str, who: str, told: Resource, created: str
) -> Resource:
    given = await find_membership(store, project, who)
    access = [_access(grant) for grant in (given.grants if given else ())]
    if access:
        told = {**told, "access": access, "accessPolicy": access[0]["policy"]}
    return versioned(told, msgspec.json.encode(told), created)


def _access(grant: Grant) -> dict[str, Any]:
    out: dict[str, Any] = {"policy": {"reference": f"{_POLICY}{grant.policy}"}}
    if grant.parameters:
        out["parameter"] = [_parameter(*one) for one in grant.parameters.items()]
    return out


def _parameter(name: str, value: str) -> dict[str, Any]:
    if "/" in value:
        return {"name": name, "valueReference": {"reference": value}}
    return {"name": name, "valueString": value}


async def _give(context: Context, who: str, body: Resource) -> None:
    """Give them the policies that a body names, in place of those that they have."""
    store, project = context.whole, context.project
    asked = read_access(body, TYPE)
    if not asked and (name := default_role(who)):
        asked = [(name, {})]
    had = await find_membership(store, project, who)
    before = had.grants if had else ()
    try:
        grants: list[Grant] = []
        for name, parameters in asked:
            id_ = await kept_policy(store, project, name)
            grants.append(_lasting(Grant(id_, parameters), before))
        if grants:
            profile = had.profile if had else who
            await give(store, project, Membership(who, profile, tuple(grants)))
        elif had is not None:
            await remove_membership(store, project, who)
            await endings.tell(store)
    except BadPolicy as error:
        text = str(error)
        raise invalid(f"{text[:1].upper()}{text[1:]}", f"{TYPE}.accessPolicy") from None


def _lasting(grant: Grant, before: Sequence[Grant]) -> Grant:
    """From when and until when it holds is what it was before: ``access`` has no word for that.

    One with other parameters goes by the only one of its policy, if there is one.
    """
    of_policy = [one for one in before if one.policy == grant.policy]
    same_ = [one for one in of_policy if one.parameters == grant.parameters]
    was = same_ or (of_policy if len(of_policy) == 1 else [])
    return msgspec.structs.replace(was[0], parameters=grant.parameters) if was else grant


def read_access(body: Mapping[str, Any], where: str) -> list[tuple[str, dict[str, str]]]:
    """The policies of ``access`` and ``accessPolicy``, with what their variables stand for, each
    once; raises 400.
    """
    access = body.get("access")
    if access is not None and (not isinstance(access, list) or len(access) > _MOST):
        raise invalid(f"access must be a list of at most {_MOST}", f"{where}.access")
    found: list[tuple[str, dict[str, str]]] = []
    for one in access or ():
        if not isinstance(one, dict):
            raise invalid("access is of objects", f"{where}.access")
        policy = reference(one.get("policy"), f"{where}.access.policy").removeprefix(_POLICY)
        given = policy, dict(_read_parameter(it, where) for it in one.get("parameter") or ())
        if given not in found:
            found.append(given)
    if body.get("accessPolicy") is not None:
        policy = reference(body["accessPolicy"], f"{where}.accessPolicy").removeprefix(_POLICY)
        if policy not in [name for name, _ in found]:
            found.append((policy, {}))
    return found


def _read_parameter(one: Any, where: str) -> tuple[str, str]:
    given = one if isinstance(one, dict) else {}
    value = given.get("valueString")
    if value is None and given.get("valueReference"):
        value = reference(given["valueReference"], f"{where}.access.parameter")
    name = given.get("name")
    if not (isinstance(name, str) and isinstance(value, str) and name and value):
        text = "A parameter is a name with valueString or valueReference"
        raise invalid(text, f"{where}.access.parameter")
    return name, value


def _flag(body: Resource, name: str, current: Resource) -> bool:
    value = body.get(name, current[name])
    if not isinstance(value, bool):
        raise invalid(f"{name} is true or false", f"{TYPE}.{name}")
    return value


async def _change_client(context: Context, id_: str, *, admin: bool, active: bool) -> None:
    client = await find_client(context.whole, id_)
    if client is None:
        raise not_found()
    changed = msgspec.structs.replace(client, admin=admin, active=active)
    if changed != client:
        await change_client(context.whole, changed)


async def _change_person(context: Context, id_: str, *, admin: bool, active: bool) -> None:
    store, project = context.whole, context.project
    found = await user_of_member(store, project, id_)
    if found is None:
        raise not_found()
    user = found[0]

    def changed(one: User) -> User | None:
        members = tuple(
            msgspec.structs.replace(m, admin=admin) if m.id == id_ else m for m in one.members
        )
        return None if members == one.members else msgspec.structs.replace(one, members=members)

    if await change_user(store, project, user.id, changed) is not None:
        await endings.tell(store)
    if active is user.disabled:
        now = await find_user(store, user.id)
        await set_disabled(store, project, now or user, not active, context.clock)
        await endings.tell(store)


KIND = Kind(
    TYPE,
    every,
    find,
    update=update,
    delete=delete,
    exact={
        "user": member("user"),
        "profile": member("profile"),
        "project": member("project"),
        "access-policy": lambda one: [a["policy"]["reference"] for a in one.get("access", ())],
        "profile-type": lambda one: [one["profile"]["reference"].partition("/")[0]],
    },
)
