"""``POST admin/projects/<id>/client``: a further client, registered over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from threadwell.access.memberships import Grant, Membership
from threadwell.access.reading import BadPolicy
from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.oauth.clients import add_client
from threadwell.api.oauth.granting import give
from threadwell.api.oauth.registering import BadRegistration, checked_keys, checked_redirects
from threadwell.api.outcomes import forbidden
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.outcome import invalid, not_found

_TYPE = "ClientApplication"
_POLICY = "AccessPolicy/"


async def new_client(context: Context, request: Request) -> Answer:
    """201 with the ClientApplication and its secret, for callers that may register others (403).

    The new client may not. It has its ``accessPolicy``, if one is named, before anybody can log in
    as it; people sign in by it who are led back to one of its ``redirectUris``.
    """
    caller = await context.access.caller(request.headers)
    if not caller.admin or caller.policy is not None:
        raise forbidden()
    if request.path.split("/")[2] != context.project:
        raise not_found()
    try:
        body = decode(request.body)
    except BadJson as error:
        raise invalid(f"Content could not be parsed: {error}") from None
    given: dict[str, Any] = body if isinstance(body, dict) else {}
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid("The client needs a name", f"{_TYPE}.name")
    registered, shown = _registered(given)
    id_ = str(uuid4())
    if policy := _policy(given):
        who = f"{_TYPE}/{id_}"
        try:
            member = Membership(who, who, (Grant(policy),))
            await give(context.whole, context.project, member)
        except BadPolicy as error:
            raise invalid(str(error), f"{_TYPE}.accessPolicy") from None
    new = await add_client(
        context.whole,
        name,
        client_id=id_,
        project=context.project,
        admin=False,
        clock=context.clock,
        **registered,
    )
    made = {"resourceType": _TYPE, "id": id_, "name": name, "secret": new.client_secret, **shown}
    return json_answer(201, made)


def _registered(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members of ``Client`` that are given, and as they are shown; raises 400."""
    registered: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    description = given.get("description", "")
    if not isinstance(description, str) or len(description) > 1_000:
        raise invalid("description is a text", f"{_TYPE}.description")
    if description:
        registered["description"] = shown["description"] = description
    uris = given.get("redirectUris", [])
    one = given.get("redirectUri")
    uris = [*([] if one is None else [one]), *(uris if isinstance(uris, list) else [None])]
    if not all(isinstance(uri, str) for uri in uris):
        raise invalid("redirectUris are URIs", f"{_TYPE}.redirectUris")
    jwks_uri = given.get("jwksUri", "")
    if not isinstance(jwks_uri, str):
        raise invalid("jwksUri is a URL", f"{_TYPE}.jwksUri")
    try:
        if uris:
            registered |= {"redirect_uris": checked_redirects(uris), "public": True}
            shown |= {"redirectUri": uris[0], "redirectUris": list(registered["redirect_uris"])}
        if jwks_uri:
            registered |= checked_keys(None, jwks_uri)
            shown["jwksUri"] = jwks_uri
    except BadRegistration as error:
        raise invalid(str(error), f"{_TYPE}.redirectUris") from None
    return registered, shown


def _policy(given: dict[str, Any]) -> str:
    """The id of the policy that is named, ``""`` for none; raises 400."""
    named = given.get("accessPolicy")
    if named is None:
        return ""
    text = named.get("reference") if isinstance(named, dict) else None
    if not isinstance(text, str) or not text.startswith(_POLICY) or text == _POLICY:
        raise invalid("accessPolicy refers to an AccessPolicy", f"{_TYPE}.accessPolicy")
    return text.removeprefix(_POLICY)
