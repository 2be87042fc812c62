"""``POST admin/projects/<id>/client``: a further client, registered over HTTP."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.oauth.clients import add_client
from threadwell.api.outcomes import forbidden
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.outcome import invalid, not_found


async def new_client(context: Context, request: Request) -> Answer:
    """201 with the ClientApplication and its secret, for callers that may register others (403).

    The new client may not.
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
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise invalid("The client needs a name", "ClientApplication.name")
    new = await add_client(context.whole, name, project=context.project, admin=False)
    made = {
        "resourceType": "ClientApplication",
        "id": new.client_id,
        "name": name,
        "secret": new.client_secret,
    }
    return json_answer(201, made)
