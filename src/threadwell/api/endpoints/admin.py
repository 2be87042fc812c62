"""``POST admin/projects/<id>/client``: a further client, as Medplum's clients ask."""

from __future__ import annotations

from threadwell.api.admin import clients
from threadwell.api.admin.answering import allowed, changed
from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import body_of
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.fhir.outcome import not_found


async def new_client(context: Context, request: Request) -> Answer:
    """201 with the ClientApplication and its secret, for callers that may register others (403).

    The new client may not. It has its ``accessPolicy``, if one is named, before anybody can log in
    as it; people sign in by it who are led back to one of its ``redirectUris``.
    """
    await allowed(context, request)
    if request.path.split("/")[2] != context.project:
        raise not_found()
    known = ("name", "description", "redirectUri", "redirectUris", "jwksUri", "accessPolicy")
    body = {name: value for name, value in body_of(request).items() if name in known}
    made = await clients.create(context, request, body)
    await changed(context, request, f"ClientApplication/{made['id']}", 201)
    return json_answer(201, made)
