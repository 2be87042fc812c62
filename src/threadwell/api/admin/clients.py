"""``ClientApplication``: the programs that may use the API.

The secret is shown once, by the answer that makes it: the store has its hash alone.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from threadwell.access.memberships import Grant, Membership, remove_membership
from threadwell.access.reading import BadPolicy
from threadwell.api.admin.bodies import only, reference, text
from threadwell.api.admin.kind import Kind, member, versioned
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.oauth.clients import (
    Client,
    NewClient,
    add_client,
    change_client,
    find_client,
    list_clients,
    remove_client,
    rotate_client,
)
from threadwell.api.oauth.granting import give
from threadwell.api.oauth.registering import BadRegistration, checked_keys, checked_redirects
from threadwell.fhir.outcome import invalid, not_found
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant

TYPE = "ClientApplication"
_POLICY = "AccessPolicy/"
_MEMBERS = (
    *("name", "description", "status", "redirectUri", "redirectUris", "jwksUri", "secret"),
    "accessPolicy",
)
#: Characters that a secret of one's own has at least: 128 bits as hexadecimal digits.
_SHORTEST = 32


async def create(context: Context, _: Request, body: Resource) -> Resource:
    """A further client, that may not register others; with the secret."""
    only(body, TYPE, _MEMBERS)
    name = text(body, TYPE, "name", needed=True)
    id_ = str(uuid4())
    registered = _registered(body)
    if body.get("accessPolicy") is not None:
        policy = reference(body["accessPolicy"], f"{TYPE}.accessPolicy").removeprefix(_POLICY)
        who = f"{TYPE}/{id_}"
        try:
            # It has its policy before anybody can log in as it.
            await give(context.whole, context.project, Membership(who, who, (Grant(policy),)))
        except BadPolicy as error:
            raise invalid(str(error), f"{TYPE}.accessPolicy") from None
    new = await add_client(
        context.whole,
        name,
        client_id=id_,
        secret=_secret(body),
        project=context.project,
        admin=False,
        clock=context.clock,
        **registered,
    )
    made = await find(context, new.client_id)
    assert made is not None
    return _with_secret(made, new)


async def update(context: Context, _: Request, current: Resource, body: Resource) -> Resource:
    """As the body says; the secret stays, unless another is given."""
    only(body, TYPE, _MEMBERS)
    if body.get("accessPolicy") is not None:
        raise invalid("Its policies are those of its ProjectMembership", f"{TYPE}.accessPolicy")
    client = await _client(context, current["id"])
    name = text(body, TYPE, "name", needed=True)
    status = text(body, TYPE, "status") or "active"
    if status not in ("active", "off"):
        raise invalid("status is active or off", f"{TYPE}.status")
    plain = {"description": "", "redirect_uris": (), "public": client.public, "jwks_uri": ""}
    changed = msgspec.structs.replace(
        client, name=name, active=status == "active", **{**plain, **_registered(body)}
    )
    secret = _secret(body)
    if secret is not None and not client.accepts(secret):
        changed = changed.with_secret(secret)
    await change_client(context.whole, changed)
    return _shown(changed)


async def delete(context: Context, _: Request, current: Resource) -> None:
    """It opens nothing any more."""
    client = await _client(context, current["id"])
    await remove_client(context.whole, client.id)
    await remove_membership(context.whole, context.project, f"{TYPE}/{client.id}")


async def rotate(context: Context, id_: str) -> Resource:
    """The client with a new secret; the one before opens nothing any more."""
    client = await _client(context, id_)
    new = await rotate_client(context.whole, client)
    return _with_secret(_shown(await _client(context, id_)), new)


async def find(context: Context, id_: str) -> Resource | None:
    """The client of that id, without its secret."""
    client = await find_client(context.whole, id_)
    is_ours = client is not None and client.project == context.project
    return _shown(client) if client is not None and is_ours else None


async def every(context: Context) -> list[Resource]:
    """All, the oldest first."""
    return [_shown(one) for one in await list_clients(context.whole, context.project)]


async def _client(context: Context, id_: str) -> Client:
    client = await find_client(context.whole, id_)
    if client is None or client.project != context.project:
        raise not_found()
    return client


def _with_secret(shown: Resource, new: NewClient) -> Resource:
    # One that signs has none.
    return {**shown, **({"secret": new.client_secret} if new.client_secret else {})}


def _shown(client: Client) -> Resource:
    told: dict[str, Any] = {
        "resourceType": TYPE,
        "id": client.id,
        "status": "active" if client.active else "off",
        "name": client.name,
    }
    if client.description:
        told["description"] = client.description
    if client.redirect_uris:
        told |= {"redirectUri": client.redirect_uris[0]}
        told |= {"redirectUris": list(client.redirect_uris)}
    if client.jwks_uri:
        told["jwksUri"] = client.jwks_uri
    return versioned(told, msgspec.json.encode(client), instant(client.created))


def _secret(body: Resource) -> str | None:
    secret = body.get("secret")
    if secret is None:
        return None
    if not isinstance(secret, str) or not secret.isascii() or not _SHORTEST <= len(secret) <= 256:
        raise invalid(
            f"A secret has {_SHORTEST} to 256 characters; without one it is made here",
            f"{TYPE}.secret",
        )
    return secret


def _registered(body: Resource) -> dict[str, Any]:
    """The members of ``Client`` that are given; raises 400."""
    registered: dict[str, Any] = {}
    if description := text(body, TYPE, "description"):
        registered["description"] = description
    uris = body.get("redirectUris", [])
    one = body.get("redirectUri")
    uris = [*([] if one is None else [one]), *(uris if isinstance(uris, list) else [None])]
    if not all(isinstance(uri, str) for uri in uris):
        raise invalid("redirectUris are URIs", f"{TYPE}.redirectUris")
    jwks_uri = text(body, TYPE, "jwksUri")
    try:
        if uris:
            registered |= {"redirect_uris": checked_redirects(uris), "public": True}
        if jwks_uri:
            registered |= checked_keys(None, jwks_uri)
    except BadRegistration as error:
        raise invalid(str(error), f"{TYPE}.redirectUris") from None
    return registered


KIND = Kind(TYPE, every, find, create, update, delete, texts={"name": member("name")})
